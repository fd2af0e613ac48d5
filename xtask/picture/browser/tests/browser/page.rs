//! A page that is open, and what a person does with it.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use synod_picture::{Look, Run, page};
use synod_picture_browser::Window;

use crate::chrome::Browser;

/// A size of a screen, in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) touch: bool,
}

pub(crate) const PHONE: Screen = Screen { width: 390, height: 844, touch: true };
pub(crate) const TABLET: Screen = Screen { width: 768, height: 1024, touch: true };
pub(crate) const DESKTOP: Screen = Screen { width: 1400, height: 900, touch: false };

pub(crate) struct Page<'a> {
    pub(crate) browser: &'a Browser,
    address: String,
}

/// The text of a run's page.
pub(crate) fn text_of(run: &Run) -> String {
    page(
        run,
        &Look { title: "A run".to_owned(), command: "cargo xtask sim raft".to_owned(), ..Look::default() },
    )
}

/// A page with a fault: another text in place of one that must be there.
pub(crate) fn spoiled(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the page has no {from:?} any more: choose another fault");
    text.replace(from, to)
}

impl<'a> Page<'a> {
    /// Opens a run's page on a desktop.
    pub(crate) async fn of(browser: &'a Browser, run: &Run) -> Result<Self> {
        Self::open(browser, DESKTOP, &text_of(run)).await
    }

    /// Opens a page, whole.
    pub(crate) async fn open(browser: &'a Browser, screen: Screen, text: &str) -> Result<Self> {
        let path = browser.folder.path().join("page.html");
        std::fs::write(&path, text).expect("a page can be written");
        let page = Self { browser, address: format!("file://{}", path.display()) };
        // What an earlier page said is not this one's.
        page.browser.go_to("about:blank").await;
        page.browser.log("browser").await;
        page.browser.log("performance").await;
        page.resize(screen).await;
        page.go("").await?;
        Ok(page)
    }

    pub(crate) async fn resize(&self, screen: Screen) {
        let Screen { width, height, touch } = screen;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch });
        self.browser.tell("Emulation.setDeviceMetricsOverride", metrics).await;
        let touch = json!({ "enabled": touch, "maxTouchPoints": if touch { 5 } else { 1 } });
        self.browser.tell("Emulation.setTouchEmulationEnabled", touch).await;
    }

    /// Opens it anew at an address's fragment.
    pub(crate) async fn go(&self, fragment: &str) -> Result<()> {
        self.browser.go_to("about:blank").await;
        self.browser.go_to(&format!("{}{fragment}", self.address)).await;
        let ready = "for (let tries = 0; tries < 400; tries++) { \
                     if (document.body && document.body.dataset.ready) return true; \
                     await new Promise(later => setTimeout(later, 50)); } return false;";
        ensure!(self.eval(ready).await == json!(true), "the page does not become ready");
        self.settle().await;
        Ok(())
    }

    /// Moves to a window by the address, as a link within the page does.
    pub(crate) async fn look_at(&self, window: &Window) -> Result<()> {
        self.eval(&format!("location.hash = {:?};", window.fragment())).await;
        self.settle().await;
        let shown = self.window().await;
        ensure!(shown == (window.from, window.to), "asked for {window:?}, the page shows {shown:?}");
        Ok(())
    }

    pub(crate) async fn eval(&self, body: &str) -> Value {
        self.browser.eval(body).await
    }

    /// Waits until what was asked for is drawn.
    pub(crate) async fn settle(&self) {
        let frames = "for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);";
        self.eval(frames).await;
    }

    /// Whether a condition comes to hold.
    pub(crate) async fn comes(&self, condition: &str) -> bool {
        let wait = format!(
            "for (let tries = 0; tries < 200; tries++) {{ if ({condition}) return true; \
             await new Promise(later => setTimeout(later, 25)); }} return false;"
        );
        self.eval(&wait).await == json!(true)
    }

    // ---- what it shows ----

    /// What is in view, as the document says.
    pub(crate) async fn window(&self) -> (f64, f64) {
        let it = self.eval("const it = document.getElementById('drawing').dataset; return [Number(it.from), Number(it.to)];").await;
        (it[0].as_f64().expect("a number"), it[1].as_f64().expect("a number"))
    }

    pub(crate) async fn span(&self) -> f64 {
        let (from, to) = self.window().await;
        to - from
    }

    /// The numbers in an attribute of what a selector finds.
    pub(crate) async fn numbers(&self, selector: &str, attribute: &str) -> BTreeSet<usize> {
        let all = self.eval(&format!("return [...document.querySelectorAll({selector:?})].map(it => Number(it.getAttribute({attribute:?})));")).await;
        all.as_array().expect("a list").iter().map(|it| it.as_u64().expect("a number") as usize).collect()
    }

    pub(crate) async fn count(&self, selector: &str) -> usize {
        let count = self.eval(&format!("return document.querySelectorAll({selector:?}).length;")).await;
        count.as_u64().expect("a number") as usize
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        self.string(&format!("document.getElementById({id:?}).textContent")).await
    }

    pub(crate) async fn string(&self, expression: &str) -> String {
        self.eval(&format!("return String({expression});")).await.as_str().expect("a text").to_owned()
    }

    pub(crate) async fn holds(&self, condition: &str) -> bool {
        self.eval(&format!("return Boolean({condition});")).await == json!(true)
    }

    /// The step that is chosen, by the number that the address has for it.
    pub(crate) async fn chosen(&self) -> Option<usize> {
        self.comes("location.hash === fragment()").await;
        let hash = self.string("location.hash").await;
        let number: usize =
            hash.split(['#', '&']).find_map(|part| part.strip_prefix("sel=")?.parse().ok())?;
        self.string(&format!("run.number.indexOf({number})")).await.parse().ok()
    }

    /// The middle of something on the screen.
    pub(crate) async fn middle(&self, selector: &str) -> (f64, f64) {
        let it = self
            .eval(&format!(
                "const it = document.querySelector({selector:?}); \
                 if (it.scrollIntoViewIfNeeded) it.scrollIntoViewIfNeeded(); \
                 const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2];"
            ))
            .await;
        (it[0].as_f64().expect("a number"), it[1].as_f64().expect("a number"))
    }

    // ---- what is done to it ----

    pub(crate) async fn mouse(&self, what: &str, (x, y): (f64, f64), held: bool) {
        let button = if what == "mouseMoved" && !held { "none" } else { "left" };
        let event = json!({ "type": what, "x": x, "y": y, "button": button, "buttons": u8::from(held), "clickCount": 1 });
        self.browser.tell("Input.dispatchMouseEvent", event).await;
    }

    pub(crate) async fn click(&self, selector: &str) {
        let at = self.middle(selector).await;
        self.click_at(at).await;
    }

    pub(crate) async fn click_at(&self, at: (f64, f64)) {
        self.mouse("mouseMoved", at, false).await;
        self.mouse("mousePressed", at, true).await;
        self.mouse("mouseReleased", at, false).await;
        self.settle().await;
    }

    pub(crate) async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mousePressed", from, true).await;
        for part in 1..=4 {
            let part = f64::from(part) / 4.0;
            let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.mouse("mouseMoved", at, true).await;
        }
        self.mouse("mouseReleased", to, false).await;
        self.settle().await;
    }

    pub(crate) async fn wheel(&self, (x, y): (f64, f64), by: f64) {
        let event = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by });
        self.browser.tell("Input.dispatchMouseEvent", event).await;
        self.settle().await;
    }

    /// A key by its name in the DOM, as it stands in the page's help.
    pub(crate) async fn press(&self, key: &str) {
        let code = match key {
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "Escape" => 27,
            "Enter" => 13,
            "Home" => 36,
            "End" => 35,
            _ => 0,
        };
        let mut down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if key.chars().count() == 1 {
            down["text"] = json!(key);
        }
        self.browser.tell("Input.dispatchKeyEvent", down).await;
        self.browser
            .tell(
                "Input.dispatchKeyEvent",
                json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }),
            )
            .await;
        self.settle().await;
    }

    pub(crate) async fn write(&self, text: &str) {
        self.browser.tell("Input.insertText", json!({ "text": text })).await;
        self.settle().await;
    }

    pub(crate) async fn touch(&self, what: &str, points: &[(f64, f64)]) {
        let points: Vec<_> =
            points.iter().enumerate().map(|(id, (x, y))| json!({ "x": x, "y": y, "id": id })).collect();
        self.browser.tell("Input.dispatchTouchEvent", json!({ "type": what, "touchPoints": points })).await;
    }

    // ---- at the end ----

    /// That nothing was said in the console, and nothing fetched but the page itself.
    pub(crate) async fn is_quiet(&self) -> Result<()> {
        let said = self.browser.log("browser").await;
        ensure!(said.is_empty(), "the console says {said:?}");
        for entry in self.browser.log("performance").await {
            let message: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or("null")).unwrap_or_default();
            let address =
                message["message"]["params"]["request"]["url"].as_str().unwrap_or_default().to_owned();
            let is_request = message["message"]["method"] == "Network.requestWillBeSent";
            let is_own =
                ["file:", "data:", "blob:", "about:"].iter().any(|scheme| address.starts_with(scheme));
            let is_page = !address.starts_with("file:") || address.starts_with(&self.address);
            ensure!(!is_request || (is_own && is_page), "the page asks for {address}");
        }
        Ok(())
    }
}
