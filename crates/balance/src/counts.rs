//! How many rows each source has for each expert.

use crate::BalanceError;

/// Rows by source rank and expert, of one layer and micro-batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    num_experts: usize,
    /// `[source][expert]`
    rows: Vec<u32>,
}

impl Counts {
    /// Counts from rows `[source][expert]`, one after the other.
    ///
    /// # Errors
    /// No experts or no sources, sources of different lengths, or 2^32 rows and more.
    pub fn new(num_experts: usize, rows: Vec<u32>) -> Result<Self, BalanceError> {
        if num_experts == 0 || rows.is_empty() || !rows.len().is_multiple_of(num_experts) {
            return Err(BalanceError::Shape { experts: num_experts, numbers: rows.len() });
        }
        let total: u64 = rows.iter().map(|&n| u64::from(n)).sum();
        if total > u64::from(u32::MAX) {
            return Err(BalanceError::TooManyRows { rows: total });
        }
        Ok(Self { num_experts, rows })
    }

    /// Counts from what the routers of the ranks report (f32, whole numbers); rank `i` routes `rows[i]` rows.
    ///
    /// # Errors
    /// Where a rank's numbers do not add up to its rows: its scores were not finite.
    pub fn from_reports(reports: &[Vec<f32>], rows: &[usize]) -> Result<Self, BalanceError> {
        for (rank, (report, &expected)) in reports.iter().zip(rows).enumerate() {
            let sum: f64 = report.iter().map(|&c| f64::from(c)).sum();
            if sum != expected as f64 || report.iter().any(|c| c.fract() != 0.0 || *c < 0.0) {
                return Err(BalanceError::Counts { rank, counted: sum.to_string(), expected });
            }
        }
        let num_experts = reports.first().map_or(0, Vec::len);
        Self::new(num_experts, reports.iter().flatten().map(|&c| c as u32).collect())
    }

    /// Number of sources.
    pub fn num_ranks(&self) -> usize {
        self.rows.len() / self.num_experts
    }

    /// Number of experts.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// Rows of one source for one expert.
    pub fn rows(&self, source: usize, expert: usize) -> u32 {
        self.rows[source * self.num_experts + expert]
    }

    /// Rows of one source, by expert.
    pub fn source(&self, source: usize) -> &[u32] {
        &self.rows[source * self.num_experts..(source + 1) * self.num_experts]
    }

    /// Rows of every expert over all sources.
    pub fn by_expert(&self) -> Vec<u64> {
        // All rows together are fewer than 2^32, so narrow sums do, and they are quicker.
        let mut sums = vec![0u32; self.num_experts];
        for source in self.rows.chunks_exact(self.num_experts) {
            sums.iter_mut().zip(source).for_each(|(sum, &n)| *sum += n);
        }
        sums.into_iter().map(u64::from).collect()
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|&n| u64::from(n)).sum()
    }
}
