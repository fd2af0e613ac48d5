//! `cargo xtask gallery`: named runs, each with its page and its picture, made anew from a script, a seed or a model.

mod entries;
mod uploader;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use synod_picture::{Kind, Look, Run, page, read_lines, svg};
use synod_sim::Kept;
use synod_transport::trace::read;

use crate::pages::{self, World};
use crate::{Verdict, workspace_root};
use entries::{ENTRIES, Entry, Source};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; end with status 1 when a file is not what it would be.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let folder = folder()?;
    let (mut stale, mut count) = (Vec::new(), 0usize);
    for (name, text) in files()? {
        count += 1;
        let path = folder.join(&name);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        stale.push(name);
        if !args.check {
            pages::put(&path, &text)?;
        }
    }
    let strange = strangers(&folder)?;
    ensure!(strange.is_empty(), "not of the gallery: {}", strange.join(", "));
    println!(
        "{count} files in {}, {} {}",
        folder.display(),
        stale.len(),
        if args.check { "stale" } else { "written" }
    );
    if args.check && !stale.is_empty() {
        println!("stale: {}; mend with: cargo xtask gallery", stale.join(", "));
        return Ok(Verdict::Broken);
    }
    Ok(Verdict::Holds)
}

fn folder() -> Result<PathBuf> {
    Ok(workspace_root()?.join("docs/gallery"))
}

/// Every file of the gallery, by name.
fn files() -> Result<Vec<(String, String)>> {
    let mut files = vec![("README.md".to_owned(), index())];
    for entry in ENTRIES {
        let run = draw(entry).with_context(|| entry.name)?;
        let look = look(entry, &run);
        files.push((format!("{}.html", entry.name), page(&run, &look)));
        files.push((format!("{}.svg", entry.name), svg(&run, &look, &entry.frame())?));
    }
    Ok(files)
}

/// What lies in the folder and is not made here.
fn strangers(folder: &Path) -> Result<Vec<String>> {
    let mut strange = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let name = file?.file_name().to_string_lossy().into_owned();
        let known =
            |entry: &Entry| [".html", ".svg"].iter().any(|end| format!("{}{end}", entry.name) == name);
        if name != "README.md" && !ENTRIES.iter().any(known) {
            strange.push(name);
        }
    }
    Ok(strange)
}

/// The run of an entry.
fn draw(entry: &Entry) -> Result<Run> {
    match entry.source {
        Source::Script(name) => {
            let path = workspace_root()?.join("raft/tests/scripts").join(name).with_extension("txt");
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let kept = Kept::default();
            synod_raft_check::script::trace(&text, Box::new(kept.clone()))?;
            let lines = read(&*kept.take()).collect::<Result<_, _>>()?;
            Ok(read_lines(lines, name)?)
        }
        Source::World(seed, nodes, plant) => World { seed, nodes, plant }.run(),
        Source::Uploader(stage, property) => {
            let run = read_lines(uploader::trace(stage, property)?, entry.name)?;
            Ok(Run { kind: Kind::Explored, ..run })
        }
    }
}

fn look(entry: &Entry, run: &Run) -> Look {
    Look {
        title: entry.title.to_owned(),
        story: entry.story.map(str::to_owned).to_vec(),
        command: "cargo xtask gallery".to_owned(),
        names: if let Source::Uploader(..) = entry.source { uploader::names() } else { Vec::new() },
        open_at: entry.open_at(run),
    }
}

/// The page that lists them.
fn index() -> String {
    let mut text = "# Runs worth a look\n\nEach picture is drawn from what the code really did: a script, a seed or an \
        exploration, recorded line by line. The page\nbehind it lets you look around: save it and open it in a browser; it \
        needs nothing else. What the marks mean stands on\neach page; `cargo xtask gallery` makes them all anew, and a test \
        keeps them current. For a run of your own see\n[traces](../trace.md#drawing).\n"
        .to_owned();
    for Entry { name, title, story, .. } in ENTRIES {
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {title}\n\n");
        for sentence in story {
            let _ = writeln!(text, "{sentence}");
        }
        let _ = write!(text, "\n[![{title}]({name}.svg)]({name}.html)\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_is_current() {
        let verdict = run(&Args { check: true }).expect("the gallery can be made");
        assert!(verdict == Verdict::Holds, "cargo xtask gallery makes it anew");
    }

    #[test]
    fn every_entry_has_a_name_of_its_own_and_three_sentences() {
        for (at, entry) in ENTRIES.iter().enumerate() {
            assert!(ENTRIES.iter().take(at).all(|other| other.name != entry.name), "{}", entry.name);
            assert!(entry.story.iter().all(|sentence| sentence.ends_with('.')), "{}", entry.name);
        }
    }
}
