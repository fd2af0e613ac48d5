//! What led to a step and what came of it.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use synod_picture::{LaneKind, Run};
use synod_picture_browser::{Causes, short_world};

use crate::chrome::Browser;
use crate::page::{DESKTOP, Page, spoiled, text_of};

pub(crate) async fn what_led_to_a_step_lights_up(browser: &Browser) -> Result<()> {
    let run = short_world(1);
    let page = Page::of(browser, &run).await?;
    check(&page, &run).await?;
    page.browser.screenshot("chosen-step-of-a-short-run.png").await;
    page.press("Escape").await;
    ensure!(page.count("#drawing .past, #drawing .future").await == 0, "what was let go stays lit");
    page.is_quiet().await
}

pub(crate) async fn wrong_causes_are_refused(browser: &Browser) -> Result<()> {
    let run = short_world(1);
    let text = text_of(&run);
    let faults = [
        ("a node forgets", "if (last[lane] >= 0) take(last[lane]);", ""),
        ("messages lead to nothing", "(causes.get(step) || []).forEach(take);", ""),
        (
            "only the first cause counts",
            "(causes.get(step) || []).forEach(take);",
            "(causes.get(step) || []).slice(0, 0).forEach(take);",
        ),
        ("calls lead to nothing", "run.data.links.forEach(([from, to]) => cause(from, to));", ""),
        ("past and future are swapped", "before(step, chosen) ? \"past\"", "before(chosen, step) ? \"past\""),
    ];
    for (fault, from, to) in faults {
        let page = Page::open(browser, DESKTOP, &spoiled(&text, from, to)).await?;
        ensure!(check(&page, &run).await.is_err(), "not noticed: {fault}");
    }
    Ok(())
}

async fn check(page: &Page<'_>, run: &Run) -> Result<()> {
    let causes = Causes::of(run);
    let count = run.steps.len();
    let is_node = |step: &usize| run.lanes[run.steps[*step].lane].kind == LaneKind::Node;
    let nodes: BTreeSet<usize> = (0..count).filter(is_node).collect();
    let calls: BTreeSet<usize> = run.operations.iter().map(|operation| operation.from).collect();
    let mut unrelated = 0;
    for part in [0, 1, 3, 5, 7, 9, 10] {
        let Some(step) = nodes.range((count - 1) * part / 10..).next().copied() else { continue };
        let (number, end) = (run.steps[step].number, run.steps[count - 1].number + 1);
        page.eval(&format!("location.hash = 'axis=order&from=-1&to={end}&sel={number}';")).await;
        page.settle().await;
        ensure!(page.chosen().await == Some(step), "step {step} is not chosen");
        let (past, future) = (causes.past(step), causes.future(step));
        for (name, expected) in [("past", &past), ("future", &future)] {
            for (what, among) in [("dot", &nodes), ("operation", &calls)] {
                let shown = page.numbers(&format!("#drawing .{what}.{name}"), "data-step").await;
                let wanted: BTreeSet<usize> = expected.intersection(among).copied().collect();
                ensure!(
                    shown == wanted,
                    "{name} of {step}: {} of {what}, {} in the page",
                    wanted.len(),
                    shown.len()
                );
            }
        }
        let words = [
            page.string("document.querySelector('#panel .past-word').textContent").await,
            page.string("document.querySelector('#panel .future-word').textContent").await,
        ];
        let digits = words.map(|text| text.chars().filter(char::is_ascii_digit).collect::<String>());
        ensure!(
            digits == [past.len().to_string(), future.len().to_string()],
            "the panel counts {digits:?} of {step}"
        );
        unrelated += count - 1 - past.len() - future.len();
    }
    ensure!(unrelated > 0, "every step is in every other's past or future: nothing was told apart");
    Ok(())
}
