//! Without a fuzzer, on any compiler: `fuzz corpus FOLDER` writes every target's seeds to `FOLDER/TARGET/`, `fuzz run
//! TARGET FILE` runs a target on one input.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["corpus", folder] => corpus(Path::new(folder)),
        ["run", target, file] => run(target, Path::new(file)),
        _ => Err("corpus FOLDER, or run TARGET FILE".into()),
    }
}

fn corpus(folder: &Path) -> Result<(), Box<dyn Error>> {
    for target in synod_fuzz::TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (at, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{at}")), seed)?;
        }
    }
    Ok(())
}

fn run(name: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let target = synod_fuzz::TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or_else(|| format!("there is no target {name}"))?;
    (target.run)(&std::fs::read(file)?);
    println!("{name} holds on {}", file.display());
    Ok(())
}
