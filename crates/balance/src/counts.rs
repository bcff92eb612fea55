//! How many rows each source has for each expert.

use crate::BalanceError;

/// Rows by source rank and expert, of one layer and micro-batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    num_experts: usize,
    rows: Vec<u32>,
}

impl Counts {
    /// Counts from what the routers of the ranks report (f32, whole numbers); every rank routes `rows_per_rank` rows.
    ///
    /// # Errors
    /// Where a rank's numbers do not add up to its rows: its scores were not finite.
    pub fn from_reports(reports: &[Vec<f32>], rows_per_rank: usize) -> Result<Self, BalanceError> {
        for (rank, report) in reports.iter().enumerate() {
            let sum: f64 = report.iter().map(|&c| f64::from(c)).sum();
            if sum != rows_per_rank as f64 || report.iter().any(|c| c.fract() != 0.0 || *c < 0.0) {
                return Err(BalanceError::Counts { rank, counted: sum.to_string(), expected: rows_per_rank });
            }
        }
        let num_experts = reports.first().map_or(0, Vec::len);
        Ok(Self { num_experts, rows: reports.iter().flatten().map(|&c| c as u32).collect() })
    }

    /// Number of sources.
    pub fn num_ranks(&self) -> usize {
        self.rows.len() / self.num_experts.max(1)
    }

    /// Number of experts.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// Rows of one source for one expert.
    pub fn rows(&self, source: usize, expert: usize) -> u32 {
        self.rows[source * self.num_experts + expert]
    }

    /// Rows of every expert over all sources.
    pub fn by_expert(&self) -> Vec<u64> {
        (0..self.num_experts)
            .map(|e| (0..self.num_ranks()).map(|r| u64::from(self.rows(r, e))).sum())
            .collect()
    }
}
