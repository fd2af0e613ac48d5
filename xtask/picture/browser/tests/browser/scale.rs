//! How long a page takes to open and to move. The numbers decide nothing here: they are for people.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use synod_picture_browser::long_world;

use crate::chrome::Browser;
use crate::page::{DESKTOP, Page, spoiled, text_of};

/// Lines of a trace.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 400_000];
const MOVES: usize = 60;

pub(crate) async fn it_opens_and_scrubs(browser: &Browser) -> Result<()> {
    let mut table = String::from(
        "  lines   steps  messages      MB  open ms  |  frame ms, median (95 of 100): whole run  |  a tenth  |  a hundredth\n",
    );
    for lines in SIZES {
        let run = long_world(7, 3, lines);
        // When what is ready was painted.
        let script = "document.body.dataset.ready =";
        let seen =
            "requestAnimationFrame(() => setTimeout(() => { window.paintedAt = performance.now(); }));\n";
        let text = spoiled(&text_of(&run), script, &format!("{seen}{script}"));
        let page = Page::open(browser, DESKTOP, &text).await?;
        let opened = page.string("Math.round(window.paintedAt)").await;
        ensure!(opened.parse::<u32>().is_ok(), "{lines} lines are not painted");
        browser.screenshot(&format!("scale-{lines}-all.png")).await;
        let megabytes = text.len() as f64 / 1e6;
        write!(
            table,
            "{lines:>7} {:>7} {:>9} {megabytes:>7.1} {opened:>8}",
            run.steps.len(),
            run.arrows.len()
        )?;
        for part in [1.0, 0.1, 0.01] {
            let frames = frames(&page, part).await;
            ensure!(frames.len() == MOVES, "{} frames of {MOVES}", frames.len());
            write!(table, "  |  {:>6.1} ({:.1})", frames[MOVES / 2], frames[MOVES * 95 / 100])?;
        }
        browser.screenshot(&format!("scale-{lines}-close.png")).await;
        table.push('\n');
        page.is_quiet().await?;
    }
    print!("{table}");
    browser.keep("scale.txt", table.as_bytes());
    Ok(())
}

/// The times between frames while a part of the run is moved, sorted.
async fn frames(page: &Page<'_>, part: f64) -> Vec<f64> {
    page.eval(&format!("showAll(); const half = axis().end * {part} / 2; if (half < axis().end / 2) show(axis().end / 3 - half, axis().end / 3 + half);")).await;
    page.settle().await;
    // The strip moves what is closer than the whole; that is moved by the wheel, and is drawn again where it was.
    let strip = page.middle("#overview").await;
    if part < 1.0 {
        page.mouse("mousePressed", strip, true).await;
    }
    let script = format!(
        "const strip = document.getElementById('overview'), drawing = document.getElementById('drawing'), y = {y}; \
         const times = []; let last = 0; \
         await new Promise(end => {{ let at = 0; const step = () => {{ \
           const now = performance.now(); if (last) times.push(now - last); last = now; \
           if (times.length === {MOVES}) return end(); \
           const x = 300 + 12 * at++; \
           if ({part} < 1) strip.dispatchEvent(new PointerEvent('pointermove', {{ pointerId: 1, clientX: x, clientY: y, buttons: 1, bubbles: true }})); \
           else drawing.dispatchEvent(new WheelEvent('wheel', {{ deltaX: 30, clientX: 600, clientY: 300, bubbles: true, cancelable: true }})); \
           requestAnimationFrame(step); }}; requestAnimationFrame(step); }}); \
         return times;",
        y = strip.1
    );
    let times = page.eval(&script).await;
    if part < 1.0 {
        page.mouse("mouseReleased", strip, false).await;
    }
    let mut times: Vec<f64> =
        times.as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).collect();
    times.sort_by(f64::total_cmp);
    times
}
