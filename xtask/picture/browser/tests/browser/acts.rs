//! What a person does, and what must come of it.

use anyhow::{Result, ensure};
use synod_picture::{LaneKind, Lasting, Run};
use synod_picture_browser::{planted_world, quiet_world, world};

use crate::chrome::Browser;
use crate::page::{DESKTOP, Page, spoiled, text_of};

pub(crate) async fn a_scrub_moves_the_window(browser: &Browser) -> Result<()> {
    let page = Page::of(browser, &world(2, 3)).await?;
    scrub(&page).await?;
    page.is_quiet().await
}

async fn scrub(page: &Page<'_>) -> Result<()> {
    page.press("0").await;
    let strip = page.middle("#overview").await;
    let whole = page.span().await;
    page.drag((400.0, strip.1), (400.0, strip.1)).await;
    let first = page.window().await;
    ensure!(first.1 - first.0 < whole / 2.0, "a press on the strip does not look closer");
    page.drag((400.0, strip.1), (1_000.0, strip.1)).await;
    let second = page.window().await;
    ensure!(
        second.0 > first.0 && near(second.1 - second.0, first.1 - first.0),
        "{first:?} became {second:?}"
    );
    // The middle of the window is where the finger is.
    let end: f64 = page.string("axis().end").await.parse()?;
    let wanted = (1_000.0 - 16.0) / (1_400.0 - 32.0) * end;
    ensure!(((second.0 + second.1) / 2.0 - wanted).abs() < end / 40.0, "{second:?} is not around {wanted}");
    // The drawing itself can be dragged, the other way.
    let middle = page.middle("#stage").await;
    page.drag(middle, (middle.0 - 200.0, middle.1)).await;
    let third = page.window().await;
    ensure!(
        third.0 > second.0 && near(third.1 - third.0, second.1 - second.0),
        "{second:?} became {third:?}"
    );
    Ok(())
}

pub(crate) async fn the_wheel_zooms_where_it_points(browser: &Browser) -> Result<()> {
    let page = Page::of(browser, &world(2, 3)).await?;
    let at = page.middle("#stage").await;
    let under = page.string(&under(at)).await.parse::<f64>()?;
    let whole = page.span().await;
    for _ in 0..4 {
        page.wheel(at, -240.0).await;
    }
    let close = page.span().await;
    ensure!(close < whole / 8.0, "the wheel does not look closer: {whole} became {close}");
    let after = page.string(&self::under(at)).await.parse::<f64>()?;
    ensure!((after - under).abs() < close / 20.0, "what was under the mouse moved from {under} to {after}");
    page.wheel(at, 240.0).await;
    ensure!(page.span().await > close * 1.5, "the wheel does not look from further away");
    page.is_quiet().await
}

/// What of the run is under a point.
fn under((x, y): (f64, f64)) -> String {
    format!("pointed({{ clientX: {x}, clientY: {y}, pointerType: 'mouse' }}).at")
}

pub(crate) async fn keys_do_what_the_help_says(browser: &Browser) -> Result<()> {
    let run = world(2, 3);
    let page = Page::of(browser, &run).await?;
    keys(&page, &run).await?;
    page.is_quiet().await
}

async fn keys(page: &Page<'_>, run: &Run) -> Result<()> {
    page.press("0").await;
    let whole = page.span().await;
    page.press("+").await;
    let close = page.span().await;
    ensure!(close < whole, "+ does not look closer");
    page.press("+").await;
    page.press("-").await;
    ensure!(near(page.span().await, close), "- does not undo +");
    let before = page.window().await;
    page.press("ArrowRight").await;
    let right = page.window().await;
    ensure!(
        right.0 > before.0 && near(right.1 - right.0, before.1 - before.0),
        "{before:?} became {right:?}"
    );
    page.press("ArrowLeft").await;
    ensure!(near(page.window().await.0, before.0), "left does not undo right");
    page.press("0").await;
    ensure!(near(page.span().await, whole), "0 does not show all");
    page.press("o").await;
    ensure!(
        page.holds("document.getElementById('axis-order').getAttribute('aria-checked') === 'true'").await,
        "o"
    );
    ensure!(
        page.span().await < run.steps.last().map_or(0, |step| step.number) as f64 + 3.0,
        "o does not show steps"
    );
    page.press("t").await;
    ensure!(
        page.holds("document.getElementById('axis-time').getAttribute('aria-checked') === 'true'").await,
        "t"
    );
    walks(page, run).await?;
    for (key, what) in
        [("f", "!document.getElementById('filters').hidden"), ("?", "document.getElementById('keys').open")]
    {
        ensure!(!page.holds(what).await, "{key} is done before it is pressed");
        page.press(key).await;
        ensure!(page.holds(what).await, "{key} does nothing");
    }
    page.press("Escape").await;
    page.comes("!document.getElementById('keys').open").await;
    page.press("/").await;
    ensure!(page.holds("document.activeElement.id === 'search'").await, "/ does not go to the search");
    Ok(())
}

/// From step to step and from leader to leader.
async fn walks(page: &Page<'_>, run: &Run) -> Result<()> {
    page.press("Escape").await;
    page.press(".").await;
    let first = page.chosen().await;
    page.press(".").await;
    let second = page.chosen().await;
    ensure!(first.is_some() && second > first, "{first:?}, then {second:?}");
    page.press(",").await;
    ensure!(page.chosen().await == first, "a comma does not go back");
    page.press("Escape").await;
    ensure!(page.chosen().await.is_none(), "Escape lets nothing go");
    page.press("0").await;
    let leaders = leaders(run);
    ensure!(leaders.len() > 1, "a world with one leader shows nothing");
    for leader in &leaders {
        page.press("l").await;
        ensure!(
            page.chosen().await == Some(*leader),
            "l goes to {:?} instead of {leader}",
            page.chosen().await
        );
    }
    page.press("L").await;
    ensure!(page.chosen().await == Some(leaders[leaders.len() - 2]), "L does not go back");
    Ok(())
}

/// The steps in which somebody became leader.
fn leaders(run: &Run) -> Vec<usize> {
    let is_leader = |what: &Lasting| matches!(what, Lasting::Role(role, _) if role == "Leader");
    run.spans.iter().filter(|span| is_leader(&span.what)).map(|span| span.from).collect()
}

pub(crate) async fn buttons_do_what_keys_do(browser: &Browser) -> Result<()> {
    let run = planted_world(violating_seed()?, 5, PLANT);
    let page = Page::of(browser, &run).await?;
    let leader = leaders(&run)[0];
    let pairs = [
        ("in", "+"),
        ("out", "-"),
        ("all", "0"),
        ("axis-order", "o"),
        ("axis-time", "t"),
        ("leader-next", "l"),
        ("leader-before", "L"),
        ("step-next", "."),
        ("step-before", ","),
        ("violation", "v"),
    ];
    for (button, key) in pairs {
        let axis =
            if button == "axis-time" { "axis=order&from=5&to=90" } else { "axis=time&from=5000&to=90000000" };
        let step = if button == "leader-before" { leader + 30 } else { 40 };
        let begin = &format!("#{axis}&sel={}", run.steps[step].number);
        let mut seen = Vec::new();
        for by_key in [false, true] {
            page.go(begin).await?;
            let before = page.string("document.getElementById('drawing').innerHTML").await;
            if by_key {
                page.press(key).await;
            } else {
                page.click(&format!("#{button}")).await;
            }
            seen.push(page.string("document.getElementById('drawing').innerHTML").await);
            ensure!(seen.last() != Some(&before), "{button} does nothing");
        }
        ensure!(seen[0] == seen[1], "the button {button} and the key {key} differ");
    }
    page.click("#theme").await;
    ensure!(page.holds("document.body.classList.contains('dark')").await, "the theme stays");
    page.is_quiet().await
}

pub(crate) async fn filters_hide_messages_and_nodes(browser: &Browser) -> Result<()> {
    let run = quiet_world(1, 3);
    let page = Page::of(browser, &run).await?;
    filters(&page, &run).await?;
    page.is_quiet().await
}

async fn filters(page: &Page<'_>, run: &Run) -> Result<()> {
    page.look_at(&synod_picture_browser::Window {
        axis: synod_picture_browser::Axis::Order,
        from: 2.0,
        to: 120.0,
    })
    .await?;
    page.click("#filter").await;
    let shown = page.numbers("#drawing [data-arrow]", "data-arrow").await;
    let kind = run.arrows[*shown.iter().next().expect("an arrow")].kind.clone();
    page.click(&format!("#filters [data-kind='{kind}']")).await;
    let wanted = shown.iter().copied().filter(|arrow| run.arrows[*arrow].kind != kind).collect();
    ensure!(
        page.numbers("#drawing [data-arrow]", "data-arrow").await == wanted,
        "{kind} is not what is hidden"
    );
    ensure!(wanted.len() < shown.len() && !wanted.is_empty(), "nothing to tell apart");
    page.click(&format!("#filters [data-kind='{kind}']")).await;
    ensure!(page.numbers("#drawing [data-arrow]", "data-arrow").await == shown, "{kind} does not come back");
    let lane = run.lanes.iter().position(|lane| lane.kind == LaneKind::Node).expect("a node");
    page.click(&format!("#filters [data-lane='{lane}']")).await;
    let touches = |arrow: &usize| run.arrows[*arrow].from.0 == lane || run.arrows[*arrow].to.0 == lane;
    let wanted = shown.iter().copied().filter(|arrow| !touches(arrow)).collect();
    ensure!(page.numbers("#drawing [data-arrow]", "data-arrow").await == wanted, "arrows of a hidden node");
    ensure!(page.count(&format!("#drawing .lane[data-lane='{lane}']")).await == 0, "the node is not hidden");
    Ok(())
}

pub(crate) async fn searches_find_fields_and_words(browser: &Browser) -> Result<()> {
    let run = world(2, 3);
    let page = Page::of(browser, &run).await?;
    searches(&page, &run).await?;
    page.is_quiet().await
}

async fn searches(page: &Page<'_>, run: &Run) -> Result<()> {
    // By what stands in the lines themselves.
    let in_lines = |needle: &dyn Fn(&str) -> bool| {
        let texts = run.steps.iter().map(|step| serde_json::to_string(&step.lines).unwrap_or_default());
        texts.enumerate().filter(|(_, text)| needle(text)).map(|(step, _)| step).collect::<Vec<_>>()
    };
    let vote = in_lines(&|text| text.to_lowercase().contains("vote"));
    for (words, expected) in [("Vote", vote), ("term=3 vote=1", Vec::new())] {
        page.press("/").await;
        page.eval("document.getElementById('search').value = '';").await;
        page.write(words).await;
        page.press("Enter").await;
        let found = page.text("found").await;
        if !expected.is_empty() {
            let chosen = page.chosen().await;
            ensure!(
                chosen.is_some_and(|step| expected.contains(&step)),
                "{words} leads to {chosen:?}: {found}"
            );
        }
        page.press("Escape").await;
    }
    page.press("Escape").await;
    page.press("0").await;
    page.press("/").await;
    page.write("term=3").await;
    page.press("Enter").await;
    let first = page.chosen().await;
    let has_it = |step: usize| {
        let text = serde_json::to_string(&run.steps[step].lines).unwrap_or_default();
        text.match_indices("\"term\":3")
            .any(|(at, it)| !text[at + it.len()..].starts_with(|it: char| it.is_ascii_digit()))
    };
    ensure!(first.is_some_and(has_it), "term=3 leads to {first:?}");
    ensure!((0..first.unwrap_or(0)).all(|step| !has_it(step)), "term=3 passes over the first");
    ensure!(page.text("found").await.starts_with("1 of "), "it says {:?}", page.text("found").await);
    page.eval("document.getElementById('drawing').focus();").await;
    page.press("n").await;
    let second = page.chosen().await;
    ensure!(second > first && second.is_some_and(has_it), "n leads from {first:?} to {second:?}");
    Ok(())
}

pub(crate) async fn playing_goes_on_and_stops(browser: &Browser) -> Result<()> {
    let page = Page::of(browser, &quiet_world(1, 3)).await?;
    plays(&page).await?;
    page.is_quiet().await
}

async fn plays(page: &Page<'_>) -> Result<()> {
    // In this order something happens in every moment.
    page.press("o").await;
    page.press("Home").await;
    page.press(" ").await;
    ensure!(
        page.holds("document.getElementById('play').getAttribute('aria-pressed') === 'true'").await,
        "it does not play"
    );
    let cursor =
        "(document.querySelector('#drawing .cursor') || { getAttribute: () => '' }).getAttribute('d')";
    let begin = page.string(cursor).await;
    ensure!(page.comes(&format!("{cursor} !== {begin:?}")).await, "the cursor stands still");
    page.press(" ").await;
    let end = page.string(cursor).await;
    for _ in 0..4 {
        page.settle().await;
    }
    ensure!(page.string(cursor).await == end, "it goes on after it was stopped");
    ensure!(
        page.holds("document.getElementById('play').getAttribute('aria-pressed') === 'false'").await,
        "the button"
    );
    // At the end it stops by itself.
    page.press("End").await;
    page.eval("choose(run.count - 2);").await;
    page.press(" ").await;
    ensure!(
        page.comes("document.getElementById('play').getAttribute('aria-pressed') === 'false'").await,
        "it never ends"
    );
    Ok(())
}

pub(crate) async fn hovering_tells_and_clicking_shows(browser: &Browser) -> Result<()> {
    let run = quiet_world(1, 3);
    let page = Page::of(browser, &run).await?;
    page.look_at(&synod_picture_browser::Window {
        axis: synod_picture_browser::Axis::Order,
        from: 20.0,
        to: 80.0,
    })
    .await?;
    let step =
        *page.numbers("#drawing .dot[data-step]", "data-step").await.range(40..).next().expect("a dot");
    let at = page.middle(&format!("#drawing .dot[data-step='{step}']")).await;
    page.mouse("mouseMoved", at, false).await;
    page.settle().await;
    ensure!(!page.holds("document.getElementById('tip').hidden").await, "no tip");
    let (tip, name) = (page.text("tip").await, &run.lanes[run.steps[step].lane].name);
    ensure!(
        tip.starts_with(&format!("{name} #{} at ", run.steps[step].number)),
        "the tip of {step} says {tip:?}"
    );
    browser.screenshot("tip.png").await;
    page.click_at(at).await;
    ensure!(page.chosen().await == Some(step), "a click on {step} chooses {:?}", page.chosen().await);
    let panel = page.text("panel").await;
    ensure!(
        panel.contains(&format!("#{} ", run.steps[step].number)) && panel.contains("happened before it"),
        "the panel says {panel:?}"
    );
    if let Some(term) = run.steps[step].state().and_then(|state| state.get("term")?.as_number()) {
        ensure!(panel.contains(&format!("term{term}")), "no state in the panel: {panel:?}");
    }
    page.mouse("mouseMoved", (at.0, at.1 + 4_000.0), false).await;
    page.is_quiet().await
}

pub(crate) async fn an_address_shows_the_same_again(browser: &Browser) -> Result<()> {
    let page = Page::of(browser, &world(3, 5)).await?;
    address(&page).await?;
    page.is_quiet().await
}

async fn address(page: &Page<'_>) -> Result<()> {
    page.press("o").await;
    for _ in 0..7 {
        page.press("+").await;
    }
    page.press("ArrowRight").await;
    page.click("#filter").await;
    page.click("#filters [data-kind]").await;
    page.click("#filters [data-lane='1']").await;
    page.press("/").await;
    page.write("term=2").await;
    page.eval("document.getElementById('drawing').focus();").await;
    page.press("n").await;
    page.press(".").await;
    page.click("#filter").await;
    let seen = "[document.getElementById('drawing').innerHTML, document.getElementById('panel').innerHTML, document.getElementById('status').textContent, ...[...document.querySelectorAll('#filters input')].map(it => it.checked)].join('\\n')";
    ensure!(page.chosen().await.is_some(), "no step is chosen");
    same_again(page, seen).await?;
    // A message that was clicked, and a window that was moved away from it.
    let arrow = page.string("document.querySelector('#drawing [data-arrow]').dataset.arrow").await;
    page.eval(&format!("choose(Math.max(run.arrows.from[{arrow}], run.arrows.to[{arrow}]), {arrow});")).await;
    for _ in 0..6 {
        page.press("ArrowRight").await;
    }
    same_again(page, seen).await?;
    page.press("Escape").await;
    page.press("t").await;
    page.press("+").await;
    same_again(page, seen).await
}

/// Opens the address as it is now, and expects the same.
async fn same_again(page: &Page<'_>, seen: &str) -> Result<()> {
    ensure!(page.comes("location.hash === fragment()").await, "the address does not follow");
    let (before, hash) = (page.string(seen).await, page.string("location.hash").await);
    page.go(&hash).await?;
    let after = page.string(seen).await;
    let differs = before.chars().zip(after.chars()).position(|(one, other)| one != other).unwrap_or(0);
    let around = |text: &str| text.chars().skip(differs.saturating_sub(60)).take(120).collect::<String>();
    ensure!(
        before == after,
        "{hash} shows something else: {:?} became {:?}",
        around(&before),
        around(&after)
    );
    Ok(())
}

const PLANT: &str = "commit-older-term";

/// A seed whose world breaks by the fault.
pub(crate) fn violating_seed() -> Result<u64> {
    use synod_raft_check::registry::Plant;
    let breaks =
        |seed: &u64| synod_raft_check::run_covered(*seed, 5, Plant::from_name(PLANT)).0.violation.is_some();
    (0..4_000).find(breaks).ok_or_else(|| anyhow::anyhow!("no seed breaks"))
}

pub(crate) async fn what_broke_is_where_the_page_opens(browser: &Browser) -> Result<()> {
    let run = planted_world(violating_seed()?, 5, PLANT);
    let page = Page::of(browser, &run).await?;
    violation(&page, &run).await?;
    browser.screenshot("violation.png").await;
    page.is_quiet().await
}

async fn violation(page: &Page<'_>, run: &Run) -> Result<()> {
    let (broken, text) = run.violation.clone().expect("it broke");
    let culprit = (0..broken).rev().find(|step| run.lanes[run.steps[*step].lane].kind == LaneKind::Node);
    ensure!(page.chosen().await == culprit, "it opens at {:?} instead of {culprit:?}", page.chosen().await);
    let (from, to) = page.window().await;
    let at = run.steps[broken].at as f64;
    ensure!(from <= at && at <= to, "what broke at {at} is not in {from} to {to}");
    let shown = page.string("(document.querySelector('#drawing .violation-text') || {}).textContent").await;
    ensure!(
        text.starts_with(shown.trim_end_matches('…')) && shown.len() > 5,
        "{shown:?} stands for {text:?}"
    );
    Ok(())
}

pub(crate) async fn acts_that_do_nothing_are_refused(browser: &Browser) -> Result<()> {
    let (quiet, restless, broken) =
        (quiet_world(1, 3), world(2, 3), planted_world(violating_seed()?, 5, PLANT));
    macro_rules! refused {
        ($run:expr, $from:literal => $to:literal, $check:ident $(, $more:expr)?) => {
            let page = Page::open(browser, DESKTOP, &spoiled(&text_of($run), $from, $to)).await?;
            ensure!($check(&page $(, $more)?).await.is_err(), "not noticed by {}: {}", stringify!($check), $from);
        };
    }
    refused!(&restless, "  show(at - half, at + half);" => "", scrub);
    refused!(&restless, "l: acts[\"leader-next\"], " => "", keys, &restless);
    refused!(&restless, "ArrowRight: () => pan(.15)" => "ArrowRight: () => pan(.1)", keys, &restless);
    refused!(&quiet, "target.checked ? set.delete(it) : set.add(it);" => "target.checked ? set.delete(it) : 0;", filters, &quiet);
    refused!(&restless, "!/[\\w]/.test(text[at + needle.length] || \"\")" => "/[\\w]/.test(text[at + needle.length] || \"\")", searches, &restless);
    refused!(&quiet, "at += span * (now - last) / 9000;" => "", plays);
    refused!(&quiet, "  cancelAnimationFrame(playing);\n" => "", plays);
    refused!(&restless, "if (view.hiddenKinds.size) part.hide" => "if (false) part.hide", address);
    refused!(&restless, "if (view.hiddenLanes.size) part.lanes" => "if (false) part.lanes", address);
    refused!(&restless, "if (view.chosen >= 0) part.sel = run.number[view.chosen];" => "if (view.chosen >= 0) part.sel = 1;", address);
    refused!(&broken, "(!address && data.violation)) toViolation();" => "(!address && data.violation)) showAll();", violation, &broken);
    Ok(())
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(other.abs())
}
