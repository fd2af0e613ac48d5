//! Draws a trace: `cargo run -p synod-picture --example draw -- run.ndjson run.html`.

use std::path::Path;

use synod_picture::{Frame, Look, page, processes_in, read_file, svg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(trace), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("a trace and a file to write (.html or .svg) are wanted".into());
    };
    let path = Path::new(&trace);
    let run = if path.is_dir() { processes_in(path)? } else { read_file(path)? };
    let look = Look { title: format!("The run of {trace}"), ..Look::default() };
    let text = if out.ends_with(".svg") { svg(&run, &look, &Frame::default())? } else { page(&run, &look) };
    std::fs::write(&out, text)?;
    run.notes.iter().for_each(|note| println!("{note}"));
    println!("{} steps, {} messages: {out}", run.steps.len(), run.arrows.len());
    Ok(())
}
