//! Fewer points, same picture: every bucket of steps keeps its lowest and its highest value, so spikes stay visible,
//! and its first value that is no number, so gaps do too. First and last point always stay.

/// At most about `3 * buckets` of `points`, in their order.
pub(crate) fn downsample(points: &[(f64, f64)], buckets: usize) -> Vec<(f64, f64)> {
    if points.len() <= 2 * buckets + 2 {
        return points.to_vec();
    }
    let interior = 1..points.len() - 1;
    let size = interior.len().div_ceil(buckets);
    let mut kept = vec![points[0]];
    for start in interior.clone().step_by(size) {
        let bucket = start..(start + size).min(interior.end);
        let finite = || bucket.clone().filter(|&i| points[i].1.is_finite());
        let lowest = finite().min_by(|&a, &b| points[a].1.total_cmp(&points[b].1));
        let highest = finite().max_by(|&a, &b| points[a].1.total_cmp(&points[b].1));
        let gap = bucket.clone().find(|&i| !points[i].1.is_finite());
        let mut chosen: Vec<usize> = [lowest, highest, gap].into_iter().flatten().collect();
        chosen.sort_unstable();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|i| points[i]));
    }
    kept.push(points[points.len() - 1]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(len: usize) -> Vec<(f64, f64)> {
        (0..len).map(|i| (i as f64, (i as f64 * 0.37).sin())).collect()
    }

    #[test]
    fn first_last_lowest_and_highest_stay() {
        let mut points = wave(100_000);
        points[31_234].1 = 99.0;
        points[77_777].1 = -99.0;
        let kept = downsample(&points, 400);
        assert!(kept.len() <= 1202, "{}", kept.len());
        assert_eq!(kept[0], points[0]);
        assert_eq!(kept[kept.len() - 1], points[99_999]);
        assert!(kept.contains(&points[31_234]) && kept.contains(&points[77_777]));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn gaps_stay() {
        let mut points = wave(10_000);
        points[5_000].1 = f64::NAN;
        assert_eq!(downsample(&points, 100).iter().filter(|p| p.1.is_nan()).count(), 1);
        let all_nan: Vec<_> = wave(10_000).into_iter().map(|(x, _)| (x, f64::NAN)).collect();
        assert!(downsample(&all_nan, 100).len() <= 102);
    }

    #[test]
    fn few_points_are_left_alone() {
        for len in [0, 1, 2, 22] {
            assert_eq!(downsample(&wave(len), 10), wave(len));
        }
    }
}
