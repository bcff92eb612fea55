//! The learning rate over time: linear warm-up, then cosine (Loshchilov & Hutter, 1608.03983), or warm-up, stable, decay
//! (Hu et al., 2404.06395), or constant.

use crate::config::OptimizerSection;

/// Learning rate of `step`, from 1, of `steps`.
pub fn learning_rate(o: &OptimizerSection, step: u64, steps: u64) -> f64 {
    let (at, end, warmup) = (step as f64, steps as f64, o.warmup_steps as f64);
    if at <= warmup {
        return o.learning_rate * at / warmup.max(1.0);
    }
    let low = o.final_share;
    let share = match o.schedule.as_str() {
        "cosine" => {
            let progress = ((at - warmup) / (end - warmup).max(1.0)).min(1.0);
            low + (1.0 - low) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
        }
        "wsd" => {
            let decay = (o.decay_share * end).max(1.0);
            let left = ((end - at) / decay).clamp(0.0, 1.0);
            low + (1.0 - low) * left
        }
        _ => 1.0,
    };
    o.learning_rate * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_rise_hold_and_fall() {
        let section = |schedule: &str| OptimizerSection {
            learning_rate: 1.0,
            final_share: 0.1,
            warmup_steps: 10,
            schedule: schedule.into(),
            decay_share: 0.2,
            ..OptimizerSection::default()
        };
        for schedule in ["cosine", "wsd", "constant"] {
            let s = section(schedule);
            assert!((learning_rate(&s, 5, 100) - 0.5).abs() < 1e-12);
            assert!((learning_rate(&s, 10, 100) - 1.0).abs() < 1e-12);
            let end = if schedule == "constant" { 1.0 } else { 0.1 };
            assert!((learning_rate(&s, 100, 100) - end).abs() < 1e-12, "{schedule}");
        }
        assert!((learning_rate(&section("wsd"), 80, 100) - 1.0).abs() < 1e-12);
        assert!((learning_rate(&section("cosine"), 55, 100) - 0.55).abs() < 1e-12);
    }
}
