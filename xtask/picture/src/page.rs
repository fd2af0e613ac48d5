//! A run as one self-contained page.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use synod_transport::trace::{Line, Value};

use crate::run::{Fate, Kind, Lane, LaneKind, Lasting, Loss, Run, WriteEnd};

const HTML: &str = include_str!("../page/page.html");
const PAGE_CSS: &str = include_str!("../page/page.css");
/// What a drawing looks like, on a page or by itself.
pub(crate) const PICTURE_CSS: &str = include_str!("../page/picture.css");
/// The drawing code.
pub(crate) const DRAW_JS: &str = include_str!("../page/draw.js");
const PAGE_JS: &str = include_str!("../page/page.js");

/// How a page is to look.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// What the run shows, in a few words.
    pub title: String,
    /// What a newcomer needs to know, in three sentences.
    pub story: Vec<String>,
    /// The line that makes this page again.
    pub command: String,
    /// Other names of lanes: of nodes by id.
    pub names: Vec<(u64, String)>,
    /// Where to open it, as the page writes it into its address: `axis=order&at=12`. Empty for the whole run, or the
    /// violation.
    pub open_at: String,
}

/// The run as one file of HTML that needs nothing else. The same run gives the same bytes.
pub fn page(run: &Run, look: &Look) -> String {
    let (data, details) = data(run, look);
    let text = escape(&look.title);
    let parts: [(&str, &str); 8] = [
        ("{title}", &text),
        ("{page.css}", PAGE_CSS),
        ("{picture.css}", PICTURE_CSS),
        ("{draw.js}", DRAW_JS),
        ("{page.js}", PAGE_JS),
        ("{data}", &inert(&data)),
        ("{details}", &inert(&details)),
        ("{end}", ""),
    ];
    // One pass: what is put in is not looked at again.
    let mut page = String::with_capacity(data.len() + details.len() + 100_000);
    let mut rest = HTML;
    while let Some((at, (mark, text))) =
        parts.iter().filter_map(|part| Some((rest.find(part.0)?, part))).min_by_key(|(at, _)| *at)
    {
        page.push_str(rest.get(..at).unwrap_or_default());
        page.push_str(text);
        rest = rest.get(at + mark.len()..).unwrap_or_default();
    }
    page + rest
}

/// JSON within HTML: no `<` can end its element.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What the page draws from, as JSON; and what it shows of each step, a line of JSON each.
pub fn data(run: &Run, look: &Look) -> (String, String) {
    let mut words = Words::default();
    let mut at = Vec::with_capacity(run.steps.len());
    let mut last = 0;
    for step in &run.steps {
        at.push(step.at.saturating_sub(last));
        last = step.at.max(last);
    }
    let mut last = 0;
    let number: Vec<usize> =
        run.steps.iter().map(|step| step.number - std::mem::replace(&mut last, step.number)).collect();
    let lane: Vec<usize> = run.steps.iter().map(|step| step.lane).collect();
    let what: Vec<usize> = run.steps.iter().map(|step| words.number(step.cause())).collect();
    let commands = run.steps.iter().enumerate();
    let commands =
        commands.filter_map(|(at, step)| Some(json!([at, words.number(step.command()?)]))).collect::<Json>();
    let details = details(run, &mut words);
    let data = json!({
        "title": look.title, "story": look.story, "command": look.command, "open": look.open_at,
        "kind": match run.kind { Kind::World => "world", Kind::Processes => "processes", Kind::Explored => "explored" },
        "lanes": run.lanes.iter().map(|lane| lane_json(lane, look)).collect::<Json>(),
        "at": at, "number": number, "lane": lane, "what": what,
        "arrows": arrows(run, &mut words),
        "commands": commands,
        "links": run.links,
        "spans": run.spans.iter().map(|span| {
            let (kind, label, term) = match &span.what {
                Lasting::Role(role, term) => ("role", role.as_str(), term.map_or(-1, |term| i64::try_from(term).unwrap_or(i64::MAX))),
                Lasting::Down => ("down", "", 0),
                Lasting::Paused => ("paused", "", 0),
                Lasting::Cut(cut) => ("cut", cut.as_str(), 0),
            };
            json!([span.lane, span.from, place(span.to), words.number(kind), words.number(label), term])
        }).collect::<Json>(),
        "writes": run.writes.iter().map(|write| {
            json!([write.lane, write.from, place(write.to), write_end(write.end), write.id])
        }).collect::<Json>(),
        "commits": run.commits.iter().map(|(lane, step, index)| json!([lane, step, index])).collect::<Json>(),
        "operations": run.operations.iter().map(|it| {
            json!([it.lane, it.from, place(it.to), words.number(&it.asked), words.number(&it.status)])
        }).collect::<Json>(),
        "violation": run.violation.as_ref().map(|(step, text)| json!([step, text])),
        "notes": run.notes,
        "words": Json::Null,
    });
    let Json::Object(mut data) = data else { return (String::new(), details) };
    data.insert("words".to_owned(), words.list.into());
    (Json::Object(data).to_string(), details)
}

fn write_end(end: WriteEnd) -> &'static str {
    match end {
        WriteEnd::Open => "open",
        WriteEnd::Synced => "synced",
        WriteEnd::Survived => "survived",
        WriteEnd::Torn => "torn",
        WriteEnd::Lost => "lost",
    }
}

fn place(step: Option<usize>) -> i64 {
    step.and_then(|step| i64::try_from(step).ok()).unwrap_or(-1)
}

fn lane_json(lane: &Lane, look: &Look) -> Json {
    let kind = match lane.kind {
        LaneKind::Node => "node",
        LaneKind::Client => "client",
        LaneKind::World => "world",
    };
    let name = look.names.iter().find(|(id, _)| lane.kind == LaneKind::Node && *id == lane.id);
    let name = name.map_or(&lane.name, |(_, name)| name);
    json!({ "kind": kind, "id": lane.id, "name": name, "off": lane.uncertainty })
}

/// Columns, so that a hundred thousand of them are quickly read.
fn arrows(run: &Run, words: &mut Words) -> Json {
    let all = &run.arrows;
    let fate = |fate: &Fate| match fate {
        Fate::Delivered => 0u8,
        Fate::Lost(_) => 1,
        Fate::Unseen => 2,
    };
    let lost = |fate: &Fate| match fate {
        Fate::Lost(loss) => loss.clone(),
        _ => Loss::default(),
    };
    json!({
        "from": all.iter().map(|it| place(it.from.1)).collect::<Vec<_>>(),
        "fromLane": all.iter().map(|it| it.from.0).collect::<Vec<_>>(),
        "to": all.iter().map(|it| place(it.to.1)).collect::<Vec<_>>(),
        "toLane": all.iter().map(|it| it.to.0).collect::<Vec<_>>(),
        "fate": all.iter().map(|it| fate(&it.fate)).collect::<Vec<_>>(),
        "lostAt": all.iter().map(|it| lost(&it.fate).at).collect::<Vec<_>>(),
        "lostNumber": all.iter().map(|it| lost(&it.fate).number).collect::<Vec<_>>(),
        "why": all.iter().map(|it| words.number(&lost(&it.fate).why)).collect::<Vec<_>>(),
        // It reached the receiver, who could not take it.
        "near": all.iter().map(|it| u8::from(lost(&it.fate).why.starts_with("message-to-the"))).collect::<Vec<_>>(),
        "copy": all.iter().map(|it| u8::from(it.copy)).collect::<Vec<_>>(),
        "kind": all.iter().map(|it| words.number(&it.kind)).collect::<Vec<_>>(),
        "brief": all.iter().map(|it| words.number(&it.brief)).collect::<Vec<_>>(),
    })
}

/// Words by number, each once.
#[derive(Default)]
struct Words {
    numbers: BTreeMap<String, usize>,
    list: Vec<String>,
}

impl Words {
    fn number(&mut self, word: &str) -> usize {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.list.len();
        self.numbers.insert(word.to_owned(), number);
        self.list.push(word.to_owned());
        number
    }
}

/// A lane's state is whole in every so many of its steps; in between stands what changed.
const WHOLE_EVERY: usize = 64;

/// For each step `[[event, peer, message, fields], …, state]`. The state is `{"=": whole}` or `{"+": changed}`, or not
/// there.
fn details(run: &Run, words: &mut Words) -> String {
    let mut last: Vec<(usize, Option<&Value>)> = vec![(0, None); run.lanes.len()];
    let mut text = String::new();
    for step in &run.steps {
        let mut all: Vec<Value> = step.lines.iter().map(|line| line_value(line, words)).collect();
        if let (Some(state), Some((since, before))) = (step.state(), last.get_mut(step.lane)) {
            let whole = *since % WHOLE_EVERY == 0;
            all.push(match before.filter(|_| !whole) {
                Some(before) => Value::record([("+", changed(before, state))]),
                None => Value::record([("=", plain(state))]),
            });
            (*since, *before) = (*since + 1, Some(state));
        }
        // A value is always JSON.
        text.push_str(&serde_json::to_string(&Value::List(all)).unwrap_or_default());
        text.push('\n');
    }
    text
}

fn line_value(line: &Line, words: &mut Words) -> Value {
    let mut all =
        vec![Value::Number(words.number(&line.event) as u64), Value::Number(line.peer.unwrap_or(0))];
    if line.message.is_some() || !line.fields.is_empty() {
        all.push(line.message.as_ref().map_or(Value::Null, plain));
    }
    if !line.fields.is_empty() {
        all.push(plain(&Value::Record(line.fields.clone())));
    }
    Value::List(all)
}

/// The fields of a record that are others than before; all of what is no record.
fn changed(before: &Value, after: &Value) -> Value {
    let Value::Record(fields) = after else { return plain(after) };
    let new = fields.iter().filter(|(name, value)| before.get(name) != Some(value));
    Value::Record(new.map(|(name, value)| (name.clone(), plain(value))).collect())
}

/// A value for a reader whose whole numbers end at 2^53: larger ones become text.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(it) if *it >= 1 << 53 => it.to_string().into(),
        Value::List(all) => Value::List(all.iter().map(plain).collect()),
        Value::Record(fields) => {
            Value::Record(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}
