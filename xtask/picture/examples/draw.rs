//! Draws a trace: `cargo run -p synod-picture --example draw -- run.ndjson run.html`.

use std::path::Path;

use synod_picture::{Frame, Look, page, read_file, svg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(trace), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("a trace and a file to write (.html or .svg) are wanted".into());
    };
    let run = read_file(Path::new(&trace))?;
    let look = Look { title: format!("The run of {trace}"), ..Look::default() };
    let text = if out.ends_with(".svg") { svg(&run, &look, &Frame::default())? } else { page(&run, &look) };
    std::fs::write(&out, text)?;
    println!("{} steps, {} messages: {out}", run.steps.len(), run.arrows.len());
    Ok(())
}
