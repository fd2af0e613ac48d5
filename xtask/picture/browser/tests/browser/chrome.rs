//! Debian's Chromium, driven through its chromedriver. What the browser cannot do ends the test with a panic; what a
//! page does not do is an error, which a test of a planted fault waits for.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use fantoccini::wd::{Capabilities, PrintConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Mutex<Child>,
    /// Pages, and what the browser keeps.
    pub(crate) folder: TempDir,
    artefacts: PathBuf,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut driver =
            Command::new(std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into()))
                .arg("--port=0")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("chromedriver starts: install chromium-driver");
        // It finds a free port and tells it.
        let lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            line.contains("started successfully")
                .then(|| line.trim_end_matches('.').rsplit(' ').next()?.parse::<u16>().ok())?
        });
        let port = port.expect("chromedriver tells its port");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connect = async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities(folder.path()))
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
        };
        let client = runtime.block_on(connect).expect("chromium starts: install chromium");
        let artefacts = std::env::var_os("SYNOD_ARTEFACTS")
            .map_or_else(|| folder.path().join("artefacts"), PathBuf::from);
        std::fs::create_dir_all(&artefacts).expect("a folder for artefacts");
        Self { runtime, client, driver: Mutex::new(driver), folder, artefacts }
    }

    pub(crate) fn end(&self) {
        self.runtime.block_on(self.client.clone().close()).expect("the browser ends");
        let mut driver = self.driver.lock().expect("nobody panics with it");
        driver.kill().expect("the driver runs");
        driver.wait().expect("the driver ends");
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn artefacts(&self) -> &Path {
        &self.artefacts
    }

    pub(crate) fn keep(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.artefacts.join(name), bytes).expect("an artefact can be written");
    }

    pub(crate) async fn go_to(&self, address: &str) {
        self.client.goto(address).await.expect("a page opens");
    }

    /// The body of an async function, run in the page; what it returns.
    pub(crate) async fn eval(&self, body: &str) -> Value {
        let script = format!(
            "const end = arguments[arguments.length - 1]; (async () => {{ {body} }})().then(it => end({{ it }}), error => end({{ error: String(error) }}));"
        );
        let answer = self.client.execute_async(&script, Vec::new()).await.expect("a script runs");
        assert!(answer.get("error").is_none(), "{answer}: {body}");
        answer.get("it").cloned().unwrap_or(Value::Null)
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn tell(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// What stands in a log since it was last read.
    pub(crate) async fn log(&self, kind: &str) -> Vec<Value> {
        self.post("se/log", json!({ "type": kind })).await.as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn screenshot(&self, name: &str) {
        let bytes = self.client.screenshot().await.expect("a screenshot");
        self.keep(name, &bytes);
    }

    /// The page on paper.
    pub(crate) async fn print(&self) -> Vec<u8> {
        self.client.print(PrintConfiguration::default()).await.expect("a page can be printed")
    }

    async fn post(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Post { path, body }).await.expect("chromedriver takes its own commands")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ended already, unless a test was interrupted; then the error says so and is no matter.
        if let Ok(driver) = self.driver.get_mut() {
            let _ = driver.kill();
        }
    }
}

fn capabilities(folder: &Path) -> Capabilities {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", folder.join("profile").display()));
    let capabilities = json!({
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    let Value::Object(capabilities) = capabilities else { unreachable!("an object") };
    capabilities
}

/// A command that only chromedriver has.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
