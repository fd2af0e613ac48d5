//! Photos of one family, taken on devices that come and go and whose clocks nobody set.
//!
//! No device has a number, and no server hands them out: a new one forks from any other, and an old one joins back. Each
//! photo keeps the history of the device that took or edited it, a few bytes. Where one history is within another, that
//! photo is older, whatever the dates in the files say.
//!
//! `cargo run -p synod-clock --example photo_order`

use std::collections::BTreeMap;

use synod_clock::causality::Causality;
use synod_clock::itc::{History, Stamp};

/// One version of a photo.
#[derive(Clone)]
struct Photo {
    name: &'static str,
    /// What the device's own clock said, right or not.
    date: &'static str,
    history: History,
}

struct Device {
    name: &'static str,
    stamp: Stamp,
    album: BTreeMap<&'static str, Photo>,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

impl Device {
    fn first(name: &'static str) -> Self {
        Self { name, stamp: Stamp::seed(), album: BTreeMap::new() }
    }

    /// Sets up another device beside this one, with the same album.
    fn fork(&mut self, name: &'static str) -> Outcome<Self> {
        let device = Self { name, stamp: self.stamp.fork()?, album: self.album.clone() };
        println!("{name} is set up beside {}: {}", self.name, device.stamp);
        Ok(device)
    }

    fn take(&mut self, name: &'static str, date: &'static str) -> Outcome<()> {
        let history = self.stamp.send()?;
        println!("{} takes {name}: {} bytes of history", self.name, history.encode().len());
        self.album.insert(name, Photo { name, date, history });
        Ok(())
    }

    /// Copies what the other has and this one lacks. The newer version of a photo wins; concurrent ones are both kept.
    fn sync_from(&mut self, other: &Self) {
        self.stamp.merge(other.stamp.peek());
        for theirs in other.album.values() {
            match self.album.get(theirs.name).map(|own| own.history.compare(&theirs.history)) {
                None | Some(Causality::Before) => drop(self.album.insert(theirs.name, theirs.clone())),
                Some(Causality::Equal | Causality::After) => {}
                Some(Causality::Concurrent) => println!("{}: two versions of {}", self.name, theirs.name),
            }
        }
    }

    /// Gives its part of the interval back; its photos stay with the heir.
    fn retire_into(self, heir: &mut Self) -> Outcome<()> {
        heir.sync_from(&self);
        heir.stamp.join(self.stamp)?;
        println!("{} retires; {} is {} now", self.name, heir.name, heir.stamp);
        Ok(())
    }
}

/// Oldest first; photos that are concurrent, in the order of their names, share a line.
fn layers(album: &BTreeMap<&'static str, Photo>) -> Vec<Vec<Photo>> {
    let mut left: Vec<Photo> = album.values().cloned().collect();
    let mut layers = Vec::new();
    while !left.is_empty() {
        let is_oldest = |photo: &Photo| {
            !left.iter().any(|other| other.history.compare(&photo.history) == Causality::Before)
        };
        let (oldest, rest) = left.iter().cloned().partition(is_oldest);
        layers.push(oldest);
        left = rest;
    }
    layers
}

fn main() -> Outcome<()> {
    let mut phone = Device::first("phone");
    phone.take("birthday", "2026-03-01")?;
    let mut camera = phone.fork("camera")?;
    camera.take("beach", "1970-01-01")?; // its battery had been empty
    phone.take("cake", "2026-03-02")?;
    let mut tablet = camera.fork("tablet")?;
    tablet.take("sunset", "2031-12-24")?;

    println!("the tablet's photos come to the phone, then one more is taken");
    phone.sync_from(&tablet);
    phone.take("goodbye", "2026-03-09")?;
    camera.retire_into(&mut phone)?;
    tablet.retire_into(&mut phone)?;
    phone.take("home", "2026-03-10")?;
    println!("phone is {} now", phone.stamp);

    println!("in the order in which they can have been taken:");
    let layers = layers(&phone.album);
    for layer in &layers {
        let names: Vec<String> =
            layer.iter().map(|photo| format!("{} (dated {})", photo.name, photo.date)).collect();
        println!("  {}", names.join(" beside "));
    }
    let names = layers.iter().map(|layer| layer.iter().map(|photo| photo.name).collect::<Vec<_>>());
    assert!(names.eq([
        vec!["birthday"],
        vec!["beach", "cake"],
        vec!["sunset"],
        vec!["goodbye"],
        vec!["home"]
    ]));
    assert_eq!(phone.stamp.to_string(), "(1, 3)", "one device again, and the simplest stamp");
    Ok(())
}

#[test]
fn clock_example_photos() -> Outcome<()> {
    main()
}
