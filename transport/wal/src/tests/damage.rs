//! Cuts, flips, zeros, garbage, stale bytes and missing files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, Fault};
use super::{Contents, append, contents, entry, expected, history, open, put};
use crate::format::{Kind, RECORD_HEAD};
use crate::plant::{self, Plant};
use crate::recover;
use crate::{Change, WalError};

/// A record and where it lies.
#[derive(Clone, Debug)]
struct Place {
    file: PathBuf,
    from: usize,
    to: usize,
    kind: Kind,
}

fn records(disk: &Disk) -> Vec<Place> {
    let mut found = Vec::new();
    let dir = Path::new(super::DIR);
    recover::scan(disk, dir, &mut |seen| {
        let file = dir.join(crate::device::segment_name(seen.segment.sequence));
        let (from, kind) = (seen.offset, seen.record.kind);
        found.push(Place { file, from, to: from + seen.record.len, kind });
    })
    .unwrap();
    found
}

/// A disk with these changes, each acknowledged in a group of its own.
fn written(changes: &[Change]) -> Arc<Disk> {
    let disk = Disk::new(Fault::None);
    let (wal, _) = open(&disk).unwrap();
    for change in changes {
        put(&wal, change.clone()).unwrap();
    }
    drop(wal);
    disk
}

/// What opening this disk gives: its contents, or that damage is reported. Anything else is a failure.
fn verdict(disk: &Arc<Disk>) -> Result<Contents, WalError> {
    match open(disk) {
        Ok((wal, _)) => Ok(contents(&wal).expect("what was opened can be read")),
        Err(error) => {
            assert!(matches!(error, WalError::Corrupt(_)), "{error}");
            Err(error)
        }
    }
}

/// Flips every bit of every file; gives how many cases were reported and how many harmless.
fn flip_every_bit(disk: &Arc<Disk>, want: &Contents) -> Result<(u64, u64), String> {
    let (mut reported, mut harmless) = (0, 0);
    for file in disk.names() {
        let len = disk.edit(&file, |bytes| bytes.len());
        for bit in 0..len * 8 {
            let flipped = disk.copy();
            flipped.edit(&file, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            match verdict(&flipped) {
                Err(_) => reported += 1,
                Ok(found) if found == *want => harmless += 1,
                Ok(found) => return Err(format!("bit {bit} of {}: {:?}", file.display(), found.summary)),
            }
        }
    }
    Ok((reported, harmless))
}

#[test]
fn transport_9_every_flipped_bit_is_harmless_or_reported() {
    let changes = history();
    let short = &changes[..7];
    let (reported, harmless) = flip_every_bit(&written(short), &expected(short)).unwrap();
    println!("{} cases: {reported} reported, {harmless} harmless", reported + harmless);
    assert!(reported > 50_000 && harmless > 1000, "{reported} {harmless}");
}

#[test]
fn transport_9_every_flipped_bit_is_reported_even_when_the_last_mark_is_lost() {
    let changes = &history()[..5];
    let disk = written(changes);
    let mark = records(&disk).pop().unwrap();
    assert_eq!(mark.kind, Kind::Mark);
    disk.edit(&mark.file, |bytes| bytes[mark.from..mark.to].fill(0));
    let (reported, harmless) = flip_every_bit(&disk, &expected(changes)).unwrap();
    println!("{} cases: {reported} reported, {harmless} harmless", reported + harmless);
    assert!(reported > 50_000 && harmless > 1000, "{reported} {harmless}");
}

#[test]
fn a_recovery_that_takes_every_damage_for_torn_is_found() {
    let changes = &history()[..3];
    let disk = written(changes);
    let found = plant::with(Plant::EveryDamageIsTorn, || flip_every_bit(&disk, &expected(changes)));
    println!("{found:?}");
    assert!(found.is_err());
}

#[test]
fn transport_9_every_cut_of_the_last_group() {
    let changes = &history()[..7];
    let disk = written(changes);
    let all = records(&disk);
    let (mark, group) = (&all[all.len() - 1], &all[all.len() - 2]);
    assert_eq!((group.kind, mark.kind), (Kind::Group, Kind::Mark));
    let (before, whole) = (expected(&changes[..6]), expected(changes));
    let file = &group.file;
    let mut cases = 0;
    for cut in group.from..=group.to {
        // In flight when the power failed: nobody was told, so the tail is torn.
        let torn = disk.copy();
        let nonzero = torn.edit(file, |bytes| {
            bytes[cut..].fill(0);
            bytes[group.from..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
        });
        let (wal, recovery) = open(&torn).unwrap();
        let found = contents(&wal).unwrap();
        if cut == group.to {
            assert_eq!(found, whole);
            assert_eq!(recovery.torn, None);
        } else {
            assert_eq!(found, before, "cut at {cut}");
            assert_eq!(recovery.torn.map_or(0, |torn| torn.bytes), nonzero as u64, "cut at {cut}");
        }
        // It goes on from there.
        put(&wal, append(vec![entry(7, wal.last().index.get() + 1, 20)])).unwrap();
        let longer = contents(&wal).unwrap();
        drop(wal);
        assert_eq!(verdict(&torn).unwrap(), longer);

        // Acknowledged, and then bytes went missing: reported.
        if cut < group.to {
            let zeroed = disk.copy();
            zeroed.edit(file, |bytes| bytes[cut..group.to].fill(0));
            assert!(verdict(&zeroed).is_err(), "zeros from {cut}");
        }
        let short = disk.copy();
        short.edit(file, |bytes| bytes.truncate(cut));
        assert!(verdict(&short).is_err(), "cut short at {cut}");
        cases += 3;
    }
    println!("{cases} cases");
    assert!(cases > 3000, "{cases}");
}

#[test]
fn damage_names_its_file_and_range() {
    let disk = written(&history()[..7]);
    let groups: Vec<_> = records(&disk).into_iter().filter(|it| it.kind == Kind::Group).collect();
    let bad = &groups[1];
    disk.edit(&bad.file, |bytes| bytes[bad.from + RECORD_HEAD + 40] ^= 4);
    let Err(WalError::Corrupt(damage)) = verdict(&disk) else { panic!("not reported") };
    assert_eq!((damage.file, damage.from), (bad.file.clone(), bad.from as u64));
    assert!(damage.to >= bad.to as u64);
}

#[test]
fn a_tail_of_garbage_is_cut_and_said() {
    let changes = &history()[..7];
    let disk = written(changes);
    let last = records(&disk).pop().unwrap();
    disk.edit(&last.file, |bytes| bytes[last.to..last.to + 333].fill(0x77));
    let (wal, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.torn.unwrap().bytes, 333);
    assert_eq!(contents(&wal).unwrap(), expected(changes));
    drop(wal);
    let (_, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.torn, None, "cut once, it is gone");
}

#[test]
fn bytes_of_a_recycled_segment_never_count() {
    let long =
        [append(vec![entry(1, 1, 200)]), append(vec![entry(1, 2, 200)]), append(vec![entry(1, 3, 200)])];
    let (old, new) = (written(&long), written(&long[..1]));
    let end = records(&new).pop().unwrap();
    let stale = old.edit(&end.file, |bytes| bytes[end.to..].to_vec());
    new.edit(&end.file, |bytes| bytes[end.to..].copy_from_slice(&stale));
    let (wal, recovery) = open(&new).unwrap();
    assert!(recovery.torn.is_some());
    assert_eq!(contents(&wal).unwrap(), expected(&long[..1]));
}

#[test]
fn a_missing_segment_is_reported_wherever_it_was() {
    let changes = &history()[..5]; // nothing is purged yet
    let disk = written(changes);
    let names = disk.names();
    assert!(names.len() >= 2, "{names:?}");
    for gone in &names {
        let less = disk.copy();
        less.remove_name(gone);
        let Err(WalError::Corrupt(damage)) = verdict(&less) else {
            panic!("{} was not missed", gone.display())
        };
        assert_eq!(damage.file, *gone);
    }
}

#[test]
fn transport_9_purged_segments_go_and_are_not_missed() {
    let changes = history();
    let disk = written(&changes);
    let first = disk.names().remove(0);
    assert!(first > Path::new(super::DIR).join(crate::device::segment_name(1)), "{}", first.display());
    assert_eq!(verdict(&disk).unwrap(), expected(&changes));
}

#[test]
fn an_entry_that_rots_while_the_log_is_open_is_never_given_out() {
    let disk = written(&[]);
    let (wal, _) = open(&disk).unwrap();
    put(&wal, append(vec![entry(1, 1, 64), entry(1, 2, 64)])).unwrap();
    let group = records(&disk).into_iter().find(|it| it.kind == Kind::Group).unwrap();
    let mut out = Vec::new();
    wal.read(1.into(), 2.into(), usize::MAX, &mut out).unwrap();
    assert_eq!(out, [entry(1, 1, 64), entry(1, 2, 64)]);
    out.clear();
    disk.edit(&group.file, |bytes| bytes[group.to - 30] ^= 1);
    let error = wal.read(1.into(), 2.into(), usize::MAX, &mut out).unwrap_err();
    assert!(error.to_string().contains("entry 2 is damaged"), "{error}");
    assert!(out.is_empty());
}
