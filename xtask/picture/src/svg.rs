//! A run as a picture by itself, drawn by the page's own code.

use rquickjs::{Context, Function, Runtime};
use serde_json::json;

use crate::page::{DRAW_JS, Look, PICTURE_CSS, data};
use crate::read::PictureError;
use crate::run::Run;

/// Which part of a run a picture shows.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Pixels from left to right; the height follows from the lanes.
    pub width: u32,
    /// Whether time runs along it, or one step after the other.
    pub by_time: bool,
    /// The first step.
    pub from: usize,
    /// The last step; none for the end.
    pub to: Option<usize>,
    /// Kinds of messages that are left out.
    pub without: Vec<String>,
    /// What led to the violation is lit up.
    pub lit: bool,
}

impl Default for Frame {
    fn default() -> Self {
        Self { width: 1000, by_time: false, from: 0, to: None, without: Vec::new(), lit: false }
    }
}

/// The run as SVG that needs nothing else and follows the reader's choice of light or dark.
///
/// # Errors
/// When the drawing code fails.
pub fn svg(run: &Run, look: &Look, frame: &Frame) -> Result<String, PictureError> {
    let failed = |error: rquickjs::Error| PictureError::Drawing(error.to_string());
    let (data, _) = data(run, look);
    let frame = json!({
        "width": frame.width, "axis": if frame.by_time { "time" } else { "order" }, "from": frame.from,
        "to": frame.to.map_or(-1, |step| i64::try_from(step).unwrap_or(-1)), "hiddenKinds": frame.without,
        "title": look.title, "lit": frame.lit,
    });
    let runtime = Runtime::new().map_err(failed)?;
    let context = Context::full(&runtime).map_err(failed)?;
    context.with(|context| {
        let drawn =
            context.eval::<(), _>(format!("{DRAW_JS}\nglobalThis.Picture = Picture;")).and_then(|()| {
                let draw: Function<'_> = context.eval(
                    "(data, frame, style) => Picture.alone(JSON.parse(data), JSON.parse(frame), style)",
                )?;
                draw.call::<_, String>((data, frame.to_string(), plain_style()))
            });
        drawn.map_err(|error| {
            let caught = context.catch();
            let said = caught.as_exception().map(ToString::to_string);
            PictureError::Drawing(said.unwrap_or_else(|| error.to_string()))
        })
    })
}

/// The style without comments.
fn plain_style() -> String {
    let mut style = String::new();
    let mut rest = PICTURE_CSS;
    while let Some((before, after)) = rest.split_once("/*") {
        style.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    style.push_str(rest);
    style
}
