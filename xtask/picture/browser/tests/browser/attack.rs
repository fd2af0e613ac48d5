//! Traces that nobody meant to be drawn.

use anyhow::{Result, ensure};
use synod_picture::{LaneKind, Run};
use synod_picture_browser::{monsters, quiet_world};

use crate::chrome::Browser;
use crate::page::{DESKTOP, PHONE, Page, spoiled, text_of};

pub(crate) async fn nothing_of_a_trace_runs(browser: &Browser) -> Result<()> {
    for (name, run) in monsters() {
        for screen in [DESKTOP, PHONE] {
            let page = Page::open(browser, screen, &text_of(&run)).await?;
            check(&page, &run).await.map_err(|error| error.context(name))?;
            browser.screenshot(&format!("attack-{}-{}.png", name.replace(' ', "-"), screen.width)).await;
        }
    }
    Ok(())
}

pub(crate) async fn a_page_that_lets_it_run_is_refused(browser: &Browser) -> Result<()> {
    let (_, run) = monsters().remove(0);
    let text = text_of(&run);
    let faults = [
        ("data ends its element", "\\u003c", "<"),
        (
            "the drawing escapes nothing",
            "const escape = text => String(text).replace(",
            "const escape = text => String(text).concat(\"\", ",
        ),
        ("the panel escapes nothing", "const html = Picture.escape;", "const html = it => String(it);"),
    ];
    for (fault, from, to) in faults {
        let spoiled = spoiled(&text, from, to);
        let refused = match Page::open(browser, DESKTOP, &spoiled).await {
            Ok(page) => check(&page, &run).await.is_err(),
            Err(_) => true,
        };
        ensure!(refused, "not noticed: {fault}");
    }
    Ok(())
}

pub(crate) async fn noise_is_refused(browser: &Browser) -> Result<()> {
    let text = text_of(&quiet_world(1, 3));
    let begin = "fillLegend();\ngoTo(";
    let noises = [
        "console.warn('oh');",
        "fetch('http://127.0.0.1:9/').catch(() => 0);",
        "setTimeout(() => { throw new Error('late') });",
        "new Image().src = 'other.png';",
    ];
    for noise in noises {
        let page = Page::open(browser, DESKTOP, &spoiled(&text, begin, &format!("{noise}\n{begin}"))).await?;
        ensure!(page.is_quiet().await.is_err(), "not noticed: {noise}");
    }
    Ok(())
}

/// Looks at everything that the page can show of a run.
async fn check(page: &Page<'_>, run: &Run) -> Result<()> {
    let lanes = run.lanes.iter().filter(|lane| lane.kind == LaneKind::Node).count();
    let shown = page.count("#drawing .lane").await;
    ensure!(shown >= lanes, "{lanes} nodes, {shown} lanes in the page");
    for axis in ["o", "t"] {
        page.press(axis).await;
        page.press("0").await;
        for _ in 0..run.steps.len().min(20) {
            page.press(".").await;
        }
        ensure!(page.comes("location.hash.includes('sel=')").await, "no step is chosen");
    }
    // Every arrow's and every step's account, which hovering and clicking show.
    page.eval("for (let step = 0; step < run.count; step++) { choose(step); stepTip(step); } \
               for (let arrow = 0; arrow < run.arrows.from.length; arrow++) { arrowTip(arrow); choose(Math.max(run.arrows.to[arrow], run.arrows.from[arrow]), arrow); } \
               await new Promise(requestAnimationFrame);").await;
    for key in ["f", "v", "+", "-", "l", "Escape", "?"] {
        page.press(key).await;
    }
    page.settle().await;
    let broken = page.string("window.broken").await;
    ensure!(broken == "undefined", "a script of the trace ran: {broken}");
    let strangers = page.count("img, iframe, svg svg, #panel script, #drawing script").await;
    ensure!(strangers == 0, "{strangers} elements of the trace's making");
    page.press("Escape").await;
    page.is_quiet().await
}
