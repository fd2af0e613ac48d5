//! Screens, themes, paper and fingers. The pictures are for people to look at.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use synod_picture::{Look, Run, page};
use synod_picture_browser::{contrast, planted_world, variables, world};

use crate::acts::violating_seed;
use crate::chrome::Browser;
use crate::page::{DESKTOP, PHONE, Page, Screen, TABLET, spoiled, text_of};

/// A window of the run with some of everything, and a step in its middle.
const CLOSE: &str = "#axis=order&from=3000&to=3060";
const CHOSEN: &str = "#axis=order&from=3000&to=3060&sel=3033";
const LEAST_CONTRAST: f64 = 4.5;
/// Text, and what it may stand on.
const TEXTS: [(&str, &[&str]); 6] = [
    ("ink", &["paper", "grid", "follower", "done", "refused", "unknown"]),
    ("soft", &["paper", "follower", "precandidate", "candidate", "leader", "done", "refused", "unknown"]),
    ("bad", &["paper"]),
    ("past", &["paper"]),
    ("future", &["paper"]),
    ("paper", &["ink"]),
];

fn told(run: &Run) -> String {
    let story = [
        "Three real Raft nodes run in a simulated world whose network loses, delays and doubles messages.",
        "Each row is a node; time runs from left to right; an arrow is a message, from its sending to its coming.",
        "A green band leads, and what it has written is safe once a majority has it: then the staircase below rises.",
    ];
    let look = Look {
        title: "Seed 2: 3 Raft nodes".to_owned(),
        story: story.map(str::to_owned).into(),
        command: "cargo xtask sim raft --seed 2 --nodes 3 --html run.html".to_owned(),
        ..Look::default()
    };
    page(run, &look)
}

pub(crate) async fn it_fits_every_screen(browser: &Browser) -> Result<()> {
    let (run, broken) = (world(2, 3), planted_world(violating_seed()?, 5, "commit-older-term"));
    for (name, screen) in [("phone", PHONE), ("tablet", TABLET), ("desktop", DESKTOP)] {
        for (what, text, fragment) in [
            ("all", told(&run), ""),
            ("close", told(&run), CLOSE),
            ("chosen", told(&run), CHOSEN),
            ("violation", text_of(&broken), ""),
        ] {
            let page = Page::open(browser, screen, &text).await?;
            page.go(fragment).await?;
            fits(&page, screen).await.context(format!("{name}, {what}"))?;
            browser.screenshot(&format!("{name}-{what}.png")).await;
            page.is_quiet().await?;
        }
        let page = Page::open(browser, screen, &told(&run)).await?;
        page.click("#filter").await;
        fits(&page, screen).await.context(format!("{name}, filters"))?;
        browser.screenshot(&format!("{name}-filters.png")).await;
        page.click("#help").await;
        fits(&page, screen).await.context(format!("{name}, help"))?;
        browser.screenshot(&format!("{name}-help.png")).await;
    }
    Ok(())
}

/// Nothing sticks out sideways; what matters is on the screen.
async fn fits(page: &Page<'_>, screen: Screen) -> Result<()> {
    let wide = page.string("document.documentElement.scrollWidth").await.parse::<u32>()?;
    ensure!(wide <= screen.width, "the document is {wide} pixels wide on {}", screen.width);
    for part in ["#drawing", "#overview", "#tools", "#panel"] {
        let box_of = format!("document.querySelector('{part}').getBoundingClientRect()");
        let inside = page.holds(&format!("(box => box.left >= 0 && box.right <= {} && box.top < innerHeight && box.height > 20)({box_of})", screen.width)).await;
        ensure!(
            inside,
            "{part} is not on the screen: {}",
            page.string(&format!("JSON.stringify({box_of})")).await
        );
    }
    let stage = page.string("document.getElementById('stage').clientHeight").await.parse::<u32>()?;
    ensure!(stage * 4 >= screen.height, "the drawing has {stage} of {} pixels", screen.height);
    // Text of the drawing that reaches over its right edge cannot be read.
    let cut = page.string("[...document.querySelectorAll('#drawing text')].filter(it => it.getBoundingClientRect().right > document.getElementById('stage').getBoundingClientRect().right + 2 && !it.closest('g[clip-path]')).map(it => it.textContent).join('; ')").await;
    ensure!(cut.is_empty(), "cut off: {cut}");
    Ok(())
}

pub(crate) async fn fingers_pinch_and_tap(browser: &Browser) -> Result<()> {
    let run = world(2, 3);
    let page = Page::open(browser, PHONE, &text_of(&run)).await?;
    let (x, y) = page.middle("#stage").await;
    let whole = page.span().await;
    page.touch("touchStart", &[(x - 30.0, y), (x + 30.0, y)]).await;
    for far in [40.0, 60.0, 80.0, 100.0] {
        page.touch("touchMove", &[(x - far, y), (x + far, y)]).await;
    }
    page.touch("touchEnd", &[]).await;
    page.settle().await;
    let close = page.span().await;
    ensure!(close < whole * 0.6, "two fingers do not look closer: {whole} became {close}");
    let before = page.window().await;
    page.touch("touchStart", &[(x, y)]).await;
    for by in [20.0, 50.0, 90.0] {
        page.touch("touchMove", &[(x - by, y)]).await;
    }
    page.touch("touchEnd", &[]).await;
    page.settle().await;
    ensure!(page.window().await.0 > before.0, "one finger does not move it: {before:?}");
    page.go("#axis=order&from=3000&to=3030").await?;
    let step = page.numbers("#drawing .dot[data-step]", "data-step").await.into_iter().nth(6).expect("a dot");
    let at = page.middle(&format!("#drawing .dot[data-step='{step}']")).await;
    page.touch("touchStart", &[at]).await;
    page.touch("touchEnd", &[]).await;
    page.settle().await;
    ensure!(page.chosen().await == Some(step), "a tap on {step} chooses {:?}", page.chosen().await);
    fits(&page, PHONE).await?;
    page.is_quiet().await
}

pub(crate) async fn it_prints(browser: &Browser) -> Result<()> {
    let run = world(2, 3);
    let page = Page::open(browser, DESKTOP, &told(&run)).await?;
    page.go(CHOSEN).await?;
    let paper = browser.print().await;
    browser.keep("print.pdf", &paper);
    ensure!(paper.starts_with(b"%PDF"), "no document");
    browser.tell("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    page.settle().await;
    browser.screenshot("print.png").await;
    let drawing = page.holds("document.getElementById('drawing').getBoundingClientRect().height > 200 && getComputedStyle(document.getElementById('tools')).display === 'none' && getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'").await;
    browser.tell("Emulation.setEmulatedMedia", json!({ "media": "" })).await;
    ensure!(drawing, "on paper there is no drawing, or buttons, or no white");
    page.is_quiet().await
}

pub(crate) async fn themes_are_readable(browser: &Browser) -> Result<()> {
    let run = world(2, 3);
    let page = Page::open(browser, DESKTOP, &told(&run)).await?;
    for theme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        browser.tell("Emulation.setEmulatedMedia", media).await;
        page.go(CHOSEN).await?;
        readable(&page).await.context(theme)?;
        browser.screenshot(&format!("{theme}.png")).await;
        page.go("").await?;
        browser.screenshot(&format!("{theme}-all.png")).await;
    }
    browser.tell("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    page.is_quiet().await
}

/// The variables as they are in force, each text against all that it stands on.
async fn readable(page: &Page<'_>) -> Result<()> {
    let names: Vec<&str> =
        TEXTS.iter().flat_map(|(text, behind)| behind.iter().chain([text])).copied().collect();
    let script = format!(
        "const style = getComputedStyle(document.getElementById('drawing')); return {names:?}.map(it => `--${{it}}: ${{style.getPropertyValue('--' + it)}}`).join(';');"
    );
    let found = variables(page.eval(&script).await.as_str().expect("a text"));
    let colour = |name: &str| found.get(name).with_context(|| format!("no --{name}"));
    let long = |colour: &str| match colour.len() {
        4 => {
            colour.chars().flat_map(|it| if it == '#' { vec![it] } else { vec![it, it] }).collect::<String>()
        }
        _ => colour.to_owned(),
    };
    let mut weak = Vec::new();
    for (text, behind) in TEXTS {
        for paper in behind {
            let found = contrast(&long(colour(text)?), &long(colour(paper)?)).context("no colour")?;
            if found < LEAST_CONTRAST {
                weak.push(format!("--{text} on --{paper} has {found:.2}"));
            }
        }
    }
    ensure!(weak.is_empty(), "{}", weak.join(", "));
    Ok(())
}

pub(crate) async fn what_does_not_fit_is_refused(browser: &Browser) -> Result<()> {
    let text = told(&world(2, 3));
    for (screen, from, to) in [
        (
            PHONE,
            "#tools { padding: 4px 10px; flex-wrap: nowrap; overflow-x: auto;",
            "#tools { padding: 4px 10px; flex-wrap: nowrap; overflow-x: visible;",
        ),
        (DESKTOP, "#panel { width: 340px;", "#panel { width: 1900px; flex: none;"),
        (PHONE, "max-height: 38vh;", "min-height: 1000px;"),
    ] {
        let page = Page::open(browser, screen, &spoiled(&text, from, to)).await?;
        ensure!(fits(&page, screen).await.is_err(), "not noticed: {to}");
    }
    for (from, to) in [("--soft: #525c65", "--soft: #8d9aa6"), ("--ink: #1c2126", "--ink: #b0b0b0")] {
        let page = Page::open(browser, DESKTOP, &spoiled(&text, from, to)).await?;
        ensure!(readable(&page).await.is_err(), "not noticed: {to}");
    }
    Ok(())
}
