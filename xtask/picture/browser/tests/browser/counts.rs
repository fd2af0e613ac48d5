//! What is in a window, is drawn.

use anyhow::{Result, ensure};
use synod_picture::{LaneKind, Run};
use synod_picture_browser::{Axis, Window, quiet_world, world};

use crate::chrome::Browser;
use crate::page::{DESKTOP, Page, spoiled, text_of};

/// More are drawn as haze, which is not counted.
const MOST_ARROWS: usize = 700;
const MOST_STEPS: usize = 1_200;

pub(crate) async fn windows_show_what_is_in_them(browser: &Browser) -> Result<()> {
    for (seed, nodes) in [(1, 3), (2, 3), (3, 5), (8, 5)] {
        let run = world(seed, nodes);
        let page = Page::of(browser, &run).await?;
        let seen =
            check(&page, &run).await.map_err(|error| error.context(format!("seed {seed}, {nodes} nodes")))?;
        ensure!(seen.lost > 0 && seen.windows >= 10, "seed {seed} shows too little: {seen:?}");
        page.is_quiet().await?;
    }
    Ok(())
}

pub(crate) async fn miscounted_windows_are_refused(browser: &Browser) -> Result<()> {
    let run = quiet_world(1, 3);
    let text = text_of(&run);
    check(&Page::open(browser, DESKTOP, &text).await?, &run).await?;
    let faults = [
        (
            "arrows that begin before are left out",
            "ends[item] < from) continue",
            "starts[item] < from) continue",
        ),
        ("arrows that end behind are left out", "starts[item] > to ||", "ends[item] > to ||"),
        (
            "a lane is forgotten",
            "if (!row) return \"\";\n      counts.lanes++",
            "if (!row || lane === 1) return \"\";\n      counts.lanes++",
        ),
        ("a step in seven is left out", "counts.dots++;", "if (step % 7 === 0) continue; counts.dots++;"),
        (
            "a step too many",
            "Math.min(last, run.count); step++) {",
            "Math.min(last + 1, run.count); step++) {",
        ),
        (
            "an arrow twice",
            "return parts.join(\"\") + drawLabels",
            "return parts.join(\"\") + (parts[0] || \"\") + drawLabels",
        ),
    ];
    for (fault, from, to) in faults {
        let page = Page::open(browser, DESKTOP, &spoiled(&text, from, to)).await?;
        ensure!(check(&page, &run).await.is_err(), "not noticed: {fault}");
    }
    Ok(())
}

/// What was looked at.
#[derive(Default, Debug)]
struct Seen {
    windows: usize,
    /// Messages that did not come.
    lost: usize,
}

async fn check(page: &Page<'_>, run: &Run) -> Result<Seen> {
    let mut seen = Seen::default();
    let drawn_lanes = |lane: &&synod_picture::Lane| lane.kind != LaneKind::World;
    let lanes = run.lanes.iter().filter(drawn_lanes).count() + usize::from(shows_the_network(run));
    for window in windows(run) {
        let (arrows, steps) = (window.arrows(run), window.steps(run));
        page.look_at(&window).await?;
        let shown = page.count("#drawing .lane").await;
        ensure!(shown == lanes, "{lanes} lanes, {shown} in the page");
        let is_haze = page.string("document.getElementById('drawing').dataset.haze").await == "true";
        ensure!(
            is_haze == (arrows.len() > MOST_ARROWS),
            "{} arrows in {window:?}, haze: {is_haze}",
            arrows.len()
        );
        if !is_haze {
            let shown = page.numbers("#drawing [data-arrow]", "data-arrow").await;
            ensure!(shown == arrows, "{window:?}: {} arrows, {} in the page", arrows.len(), shown.len());
            let elements = page.count("#drawing [data-arrow]").await;
            ensure!(elements == arrows.len(), "{window:?}: {} arrows, {elements} elements", arrows.len());
            let lost = |arrow: &&usize| run.arrows.get(**arrow).is_some_and(|arrow| arrow.to.1.is_none());
            seen.lost += arrows.iter().filter(lost).count();
        }
        if steps.len() < MOST_STEPS {
            let shown = page.numbers("#drawing .dot[data-step]", "data-step").await;
            ensure!(shown == steps, "{window:?}: {} steps, {} in the page", steps.len(), shown.len());
        }
        seen.windows += 1;
    }
    Ok(seen)
}

/// The network has a row when anything is told of it.
fn shows_the_network(run: &Run) -> bool {
    let is_there = run.lanes.iter().any(|lane| lane.kind == LaneKind::World);
    let cut = run.spans.iter().any(|span| matches!(span.what, synod_picture::Lasting::Cut(_)));
    is_there && (cut || run.violation.is_some())
}

/// The whole run and parts of it, of both axes. Ends and middles are whole numbers.
fn windows(run: &Run) -> Vec<Window> {
    let end = run.steps.last().map_or(0, |step| step.at);
    let last = run.steps.last().map_or(0, |step| step.number) as u64;
    let mut all = Vec::new();
    for (axis, end) in [(Axis::Time, end), (Axis::Order, last)] {
        for parts in [2, 7, 40] {
            let half = (end / parts / 2).max(3);
            for at in [1, 3, 5] {
                let middle = end / 6 * at;
                if middle > half && middle + half < end {
                    all.push(Window { axis, from: (middle - half) as f64, to: (middle + half) as f64 });
                }
            }
        }
    }
    all
}
