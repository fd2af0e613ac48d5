//! Pages in a browser: `cargo xtask browser`. One browser for all cases; it ends with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
// Chromium's numbers and ours, on their way through JSON.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod acts;
mod attack;
mod causes;
mod chrome;
mod counts;
mod looks;
mod page;
mod scale;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::chrome::Browser;

type Checked<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

macro_rules! cases {
    ($browser:ident; $($module:ident: $($name:ident),+;)+) => {
        vec![$($(case(&$browser, concat!(stringify!($module), "::", stringify!($name)), |it| Box::pin($module::$name(it)))),+),+]
    };
}

fn main() -> ExitCode {
    // One at a time: they share the browser's window.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let browser = Arc::new(Browser::start());
    let cases = cases![browser;
        counts: windows_show_what_is_in_them, miscounted_windows_are_refused;
        causes: what_led_to_a_step_lights_up, wrong_causes_are_refused;
        acts: a_scrub_moves_the_window, the_wheel_zooms_where_it_points, keys_do_what_the_help_says,
            buttons_do_what_keys_do, filters_hide_messages_and_nodes, searches_find_fields_and_words,
            playing_goes_on_and_stops, hovering_tells_and_clicking_shows, an_address_shows_the_same_again,
            what_broke_is_where_the_page_opens, acts_that_do_nothing_are_refused;
        attack: nothing_of_a_trace_runs, a_page_that_lets_it_run_is_refused, noise_is_refused;
        looks: it_fits_every_screen, fingers_pinch_and_tap, it_prints, themes_are_readable, what_does_not_fit_is_refused;
        scale: it_opens_and_scrubs;
    ];
    let conclusion = libtest_mimic::run(&arguments, cases);
    println!("artefacts: {}", browser.artefacts().display());
    browser.end();
    conclusion.exit_code()
}

fn case(browser: &Arc<Browser>, name: &str, check: fn(&Browser) -> Checked<'_>) -> Trial {
    let browser = Arc::clone(browser);
    Trial::test(name, move || browser.block_on(check(&browser)).map_err(|error| format!("{error:#}").into()))
}
