//! Clocks and middles.

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used, user and system, in nanoseconds.
pub fn thread_cpu_ns() -> f64 {
    read(ClockId::ThreadCPUTime)
}

/// CPU time that all threads of this process have used, user and system, in nanoseconds.
pub fn process_cpu_ns() -> f64 {
    read(ClockId::ProcessCPUTime)
}

#[allow(clippy::cast_precision_loss, reason = "a run is shorter than 2^52 ns")]
fn read(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// A count as a number to divide by.
#[allow(clippy::cast_precision_loss, reason = "counts stay below 2^52")]
pub fn number(count: u64) -> f64 {
    count as f64
}

/// The middle of several rounds: of an even number, the mean of the two middle ones. Zero of none.
pub fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let above = sorted.get(middle).copied().unwrap_or_default();
    let below = if sorted.len() % 2 == 0 { middle.saturating_sub(1) } else { middle };
    f64::midpoint(sorted.get(below).copied().unwrap_or_default(), above)
}

/// The least of several rounds: what the machine can do when left alone. Zero of none.
pub fn least(rounds: &[f64]) -> f64 {
    rounds.iter().copied().min_by(f64::total_cmp).unwrap_or_default()
}

/// Reads how many allocations the process has made so far, where something counts them.
pub type AllocationCounter = fn() -> u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_least_is_the_least() {
        assert_eq!(median(&[]).to_bits(), 0f64.to_bits());
        assert_eq!(median(&[3.0, 1.0, 50.0]).to_bits(), 3f64.to_bits());
        assert_eq!(median(&[4.0, 1.0, 2.0, 50.0]).to_bits(), 3f64.to_bits());
        assert_eq!(least(&[4.0, 1.0, 2.0]).to_bits(), 1f64.to_bits());
    }

    #[test]
    fn work_uses_cpu_time_of_this_thread() {
        let (thread, process) = (thread_cpu_ns(), process_cpu_ns());
        let sum = (0..200_000u64).fold(0u64, |sum, it| std::hint::black_box(sum ^ it.wrapping_mul(0x9e37)));
        assert_ne!(std::hint::black_box(sum), 1);
        assert!(thread_cpu_ns() > thread);
        assert!(process_cpu_ns() > process);
    }
}
