//! The drawing code by itself: it counts as the run does, and the same run gives the same picture.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rquickjs::{Context, Function, Runtime};
use synod_picture::{Frame, Look, Run, clocks, data, page, read_lines, shiviz, svg};
use synod_raft_check::script;
use synod_transport::trace::read;

const DRAW: &str = include_str!("../page/draw.js");

fn run_of(name: &str) -> Run {
    let path = format!("{}/../../raft/tests/scripts/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    script::trace(&std::fs::read_to_string(path).unwrap(), &mut bytes).unwrap();
    read_lines(read(&*bytes).collect::<Result<_, _>>().unwrap(), name).unwrap()
}

/// Calls a function of JavaScript with the data of a run; it gives JSON.
fn ask(run: &Run, question: &str) -> serde_json::Value {
    let (data, _) = data(run, &Look::default());
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    let text = context.with(|context| {
        let ask: Function<'_> = context
            .eval(format!(
                "{DRAW}\n(data) => JSON.stringify(({question})(Picture.prepare(JSON.parse(data))))"
            ))
            .unwrap();
        let answer = ask.call::<_, String>((data,));
        answer.unwrap_or_else(|error| panic!("{error}: {:?}", context.catch()))
    });
    serde_json::from_str(&text).unwrap()
}

const VIEW: &str = "{ axis: 'order', from: -1, to: run.end.order + 1, width: 1000, hiddenKinds: new Set(), hiddenLanes: new Set(), \
                    chosen: -1, cursor: -1, matches: [] }";

#[test]
fn a_picture_holds_every_lane_message_and_step_once() {
    for name in ["split_vote", "figure_8", "deposed_leaders_read", "torn_write", "paused_leader"] {
        let run = run_of(name);
        let counts = ask(&run, &format!("run => Picture.draw(run, {VIEW}).counts"));
        assert_eq!(counts["lanes"], run.lanes.len(), "{name}");
        assert_eq!(counts["arrows"], run.arrows.len(), "{name}");
        let picture = svg(&run, &Look::default(), &Frame::default()).unwrap();
        assert_eq!(picture.matches("data-arrow=").count(), run.arrows.len(), "{name}");
        let nodes = |step: &&synod_picture::Step| run.lanes[step.lane].kind == synod_picture::LaneKind::Node;
        let steps = run.steps.iter().filter(nodes).count() + run.operations.len();
        assert_eq!(picture.matches("data-step=").count(), steps, "{name}");
        assert_eq!(picture.matches("class=\"lane\"").count(), run.lanes.len(), "{name}");
        assert_eq!(picture, svg(&run, &Look::default(), &Frame::default()).unwrap(), "{name}");
    }
}

#[test]
fn the_page_says_of_causes_what_the_clocks_say() {
    let run = run_of("figure_8");
    let clocks = clocks(&run);
    let question = "run => { const { before } = Picture.clocks(run), all = []; \
                    for (let a = 0; a < run.count; a++) for (let b = 0; b < run.count; b++) all.push(before(a, b)); return all; }";
    let answers = ask(&run, question);
    let answers = answers.as_array().unwrap();
    let count = run.steps.len();
    assert_eq!(answers.len(), count * count);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(
            answer.as_bool().unwrap(),
            clocks.before(at / count, at % count),
            "{} before {}",
            at / count,
            at % count
        );
    }
}

#[test]
fn only_what_reaches_into_the_window_is_drawn() {
    let run = run_of("one_way_partition");
    let question = "run => { const all = []; for (let from = 0; from + 9 < run.end.order; from += 5) { \
        const axis = run.axes.order, { starts, ends } = axis.arrows, to = from + 9; let count = 0; \
        for (let at = 0; at < starts.length; at++) if (starts[at] <= to && ends[at] >= from) count++; \
        all.push([count, Picture.within(axis.arrows, from, to).length]); } return all; }";
    let answers = ask(&run, question);
    let answers = answers.as_array().unwrap();
    assert!(answers.len() > 30);
    for answer in answers {
        assert_eq!(answer[0], answer[1]);
    }
}

#[test]
fn a_page_is_the_same_again_and_nothing_in_it_ends_its_script() {
    let mut run = run_of("split_vote");
    run.steps[0].lines[0].event = "</script><script>alert(1)</script>".to_owned();
    run.notes.push("<!-- {draw.js} {data}".to_owned());
    let look = Look { title: "a <b> & {data}".to_owned(), ..Look::default() };
    let text = page(&run, &look);
    assert_eq!(text, page(&run, &look));
    assert!(!text.contains("alert(1)</script>") && !text.contains("<!-- {draw"));
    assert!(text.contains("<title>a &lt;b&gt; &amp; {data}</title>"));
    assert_eq!(text.matches("<script").count(), 4);
    for outside in ["http://", "https://", "src=", "@import"] {
        let own = if outside == "http://" { text.matches("http://www.w3.org/2000/svg").count() } else { 0 };
        assert_eq!(text.matches(outside).count(), own, "{outside}");
    }
}

#[test]
fn shiviz_gets_a_line_for_each_step_with_its_clock() {
    let run = run_of("split_vote");
    let text = shiviz(&run);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r"(?<date>\d+) (?<host>\S+) (?<clock>{.*?}) (?<event>.*)"));
    assert_eq!(lines.next(), Some(""));
    let clocks = clocks(&run);
    let mut count = 0;
    for (line, at) in lines.zip(0..) {
        let (_, rest) = line.split_once(' ').unwrap();
        let (host, rest) = rest.split_once(' ').unwrap();
        let (clock, events) = rest.split_once("} ").unwrap();
        let clock: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&format!("{clock}}}")).unwrap();
        let step = &run.steps[at];
        assert_eq!(host, run.lanes[step.lane].name.replace(' ', "-"));
        // Its own entry counts the steps of its host.
        let own = run.steps[..=at].iter().filter(|other| other.lane == step.lane).count();
        assert_eq!(clock[host], own, "{line}");
        for (lane, known) in clocks.of(at).iter().enumerate() {
            let name = run.lanes[lane].name.replace(' ', "-");
            assert_eq!(clock.get(&name).map_or(0, |it| it.as_u64().unwrap()), u64::from(*known), "{line}");
        }
        assert!(events.starts_with(step.cause()));
        count += 1;
    }
    assert_eq!(count, run.steps.len());
}
