//! `cargo xtask trace`: a recorded run as a page, a picture, or a log for another viewer.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use synod_picture::{Frame, Look, Run, processes, processes_in, read_file, shiviz, svg};

use crate::{Verdict, pages};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A trace; several of processes that ran together; or the folder in which they are.
    #[arg(required = true, value_name = "FILE")]
    traces: Vec<PathBuf>,
    /// Write a page to look around in.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a picture, all steps one after the other.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a log that ShiViz reads; its first line is the expression to parse it by.
    #[arg(long, value_name = "FILE")]
    shiviz: Option<PathBuf>,
    /// What the page is called. Default: the trace's name.
    #[arg(long)]
    title: Option<String>,
    /// The picture begins at this step.
    #[arg(long, default_value_t = 0, requires = "svg")]
    from: usize,
    /// The picture ends at this step.
    #[arg(long, requires = "svg")]
    to: Option<usize>,
    /// In the picture, time runs from left to right.
    #[arg(long, requires = "svg")]
    by_time: bool,
    /// Kinds of messages that the picture leaves out.
    #[arg(long, value_delimiter = ',', value_name = "KIND", requires = "svg")]
    without: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let outputs = [&args.html, &args.svg, &args.shiviz];
    ensure!(outputs.iter().any(|it| it.is_some()), "nothing to write: add --html, --svg or --shiviz");
    let run = read(&args.traces)?;
    let look = look(args, &run);
    println!("{} steps, {} messages, {} lanes", run.steps.len(), run.arrows.len(), run.lanes.len());
    for note in &run.notes {
        println!("{note}");
    }
    if let Some(path) = &args.html {
        pages::write(&run, &look, path)?;
    }
    if let Some(path) = &args.svg {
        ensure!(args.from < run.steps.len(), "--from {}: there are {} steps", args.from, run.steps.len());
        for kind in &args.without {
            let known = run.arrows.iter().any(|arrow| arrow.kind == *kind);
            ensure!(known, "no message is of the kind {kind}");
        }
        let (from, to, without) = (args.from, args.to, args.without.clone());
        pages::put(
            path,
            &svg(&run, &look, &Frame { from, to, by_time: args.by_time, without, ..Frame::default() })?,
        )?;
        println!("picture: {}", path.display());
    }
    if let Some(path) = &args.shiviz {
        pages::put(path, &shiviz(&run))?;
        println!("log: {}", path.display());
    }
    Ok(Verdict::Holds)
}

/// One file by itself, or all of a run of processes.
fn read(traces: &[PathBuf]) -> Result<Run> {
    Ok(match traces {
        [folder] if folder.is_dir() => processes_in(folder)?,
        [file] => read_file(file)?,
        several => processes(several)?,
    })
}

fn look(args: &Args, run: &Run) -> Look {
    let named: Vec<String> = args.traces.iter().map(|path| path.display().to_string()).collect();
    let first = args.traces.first().and_then(|path| path.file_stem()).unwrap_or_default();
    let title = args.title.clone().unwrap_or_else(|| first.to_string_lossy().into_owned());
    let out = args.html.as_deref().unwrap_or_else(|| Path::new("run.html")).display();
    Look {
        story: pages::unjudged(run, &format!("What the trace {} recorded.", named.join(", "))),
        command: format!("cargo xtask trace {} --html {out}", named.join(" ")),
        title,
        ..Look::default()
    }
}
