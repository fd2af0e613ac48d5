//! Five peers whose oscillators drift, measured each minute for an hour, and what a monitor makes of it.
//!
//! ```sh
//! cargo run -p synod-clock --example drift_table
//! ```

use std::time::Duration;

use synod_clock::UnixTime;
use synod_clock::drift::{DriftMonitor, DriftOptions, Level, Observation};
use synod_clock::source::SimulatedClock;

fn main() {
    let start = UnixTime::from_secs(1_790_000_000);
    let own = SimulatedClock::new(start, 0);
    let peers = [
        ("amsterdam", SimulatedClock::new(start, 12_000)),
        ("berlin", SimulatedClock::wandering(start, 30_000, 7)),
        ("in the sun", SimulatedClock::new(start, 60_000)),
        ("broken", SimulatedClock::new(start, -730_000)),
        ("set by hand", SimulatedClock::new(start, 1_000)),
    ];
    let mut monitor = DriftMonitor::new(DriftOptions::default());
    for minute in 0..60_i64 {
        own.advance(Duration::from_secs(60));
        for (name, clock) in &peers {
            clock.advance(Duration::from_secs(60));
            if *name == "set by hand" && minute == 30 {
                clock.step(400_000_000);
                // Whoever sets a clock says so, or the step looks like a drift.
                monitor.forget(name);
            }
            // What an exchange of NTP would have said: half of the noise of a network is its error.
            let noise_ns = (minute * 7919) % 400_000 - 200_000;
            let offset_ns = clock.reading().nanos_since(own.reading()) + noise_ns;
            monitor.observe(*name, Observation { at: own.reading(), offset_ns, error_ns: 200_000 });
        }
    }
    println!("{}", monitor.table());
    for (name, report) in monitor.reports().filter(|(_, report)| report.level == Level::Alert) {
        println!("look after {name}: {} observations say so", report.observations);
    }
    println!("\nthe same for a collector:\n\n{}", monitor.metrics());
}
