//! Rows that every rank received, by layer and iteration, in CSV.
//!
//! Columns `rank`, `layer`, `iter` and `token_num`, in any order; `method` and `model_name` may say which system was recorded. That is the
//! form of the LAER-MoE artifact (`scripts_ae/token_analysis_backup.csv`).

use std::{collections::BTreeMap, path::Path};

use csv::StringRecord;

use super::{TraceError, stem};

/// One layer of one iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// Number of the layer.
    pub layer: usize,
    /// Number of the iteration.
    pub iteration: usize,
    /// By rank.
    pub rows: Vec<u32>,
}

/// What one system gave its ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankLoads {
    /// What tables call it.
    pub name: String,
    /// Ranks of the group.
    pub num_ranks: usize,
    /// By layer, then by iteration.
    pub iterations: Vec<Iteration>,
}

/// Rows and the line that they are from, by layer and iteration, then by rank.
type Table = BTreeMap<(usize, usize), BTreeMap<usize, (u32, u64)>>;

impl RankLoads {
    /// Reads a file; one for each method and model.
    ///
    /// # Errors
    /// A column that is missing, a line with other columns than the head, a number that is none, or a rank that is missing or there
    /// twice; the error has the line.
    pub fn read(path: &Path) -> Result<Vec<Self>, TraceError> {
        let fail = |what: String| TraceError::new(path, what);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|e| fail(e.to_string()))?;
        let head = reader.headers().map_err(|e| fail(e.to_string()))?.clone();
        let columns = Columns::find(&head).map_err(fail)?;
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| fail(ragged(&e, head.len()).unwrap_or_else(|| e.to_string())))?;
            columns.note(&record, &mut tables).map_err(fail)?;
        }
        if tables.is_empty() {
            return Err(fail("has a head and no rows".into()));
        }
        let finish = |(system, table)| finish(&stem(path), system, table).map_err(fail);
        tables.into_iter().map(finish).collect()
    }
}

/// What to say of a line with more or fewer columns than the head.
fn ragged(error: &csv::Error, columns: usize) -> Option<String> {
    let csv::ErrorKind::UnequalLengths { pos, len, .. } = error.kind() else { return None };
    Some(format!("line {} has {len} columns, the head has {columns}", pos.as_ref()?.line()))
}

/// Where the columns are.
struct Columns {
    rank: usize,
    layer: usize,
    iteration: usize,
    rows: usize,
    system: Vec<usize>,
}

impl Columns {
    fn find(head: &StringRecord) -> Result<Self, String> {
        let at = |name: &str| head.iter().position(|h| h == name);
        let need = |name: &str| {
            let there = head.iter().collect::<Vec<_>>().join(", ");
            at(name).ok_or(format!(
                "has no column `{name}`; needed are rank, layer, iter and token_num, there are {there}"
            ))
        };
        let system = ["method", "model_name"].into_iter().filter_map(at).collect();
        Ok(Self {
            rank: need("rank")?,
            layer: need("layer")?,
            iteration: need("iter")?,
            rows: need("token_num")?,
            system,
        })
    }

    fn note(&self, record: &StringRecord, tables: &mut BTreeMap<String, Table>) -> Result<(), String> {
        let line = record.position().map_or(0, csv::Position::line);
        let number = |column: usize| -> Result<u32, String> {
            let text = &record[column];
            whole(text)
                .ok_or_else(|| format!("line {line}: `{text}` is no whole number from 0 to {}", u32::MAX))
        };
        let system = self.system.iter().map(|&c| &record[c]).collect::<Vec<_>>().join(" ");
        let (layer, iteration) = (number(self.layer)? as usize, number(self.iteration)? as usize);
        let rank = number(self.rank)? as usize;
        let ranks = tables.entry(system).or_default().entry((layer, iteration)).or_default();
        match ranks.insert(rank, (number(self.rows)?, line)) {
            Some((_, first)) => Err(format!(
                "line {line}: rank {rank} of layer {layer}, iteration {iteration} is there already, in line {first}"
            )),
            None => Ok(()),
        }
    }
}

/// A whole number, also one that a data frame wrote as `12.0`.
fn whole(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
    })
}

/// Checks that every iteration has the same ranks, 0 to R - 1.
fn finish(file: &str, system: String, table: Table) -> Result<RankLoads, String> {
    let num_ranks = 1 + table.values().flat_map(|r| r.keys()).max().copied().unwrap_or(0);
    let mut iterations = Vec::with_capacity(table.len());
    for ((layer, iteration), ranks) in table {
        if let Some(rank) = (0..num_ranks).find(|r| !ranks.contains_key(r)) {
            return Err(format!(
                "layer {layer}, iteration {iteration} has no line for rank {rank}, of {num_ranks} ranks{}",
                if system.is_empty() { String::new() } else { format!(" of `{system}`") }
            ));
        }
        iterations.push(Iteration {
            layer,
            iteration,
            rows: ranks.into_values().map(|(rows, _)| rows).collect(),
        });
    }
    let name = if system.is_empty() { file.to_owned() } else { format!("{file} [{system}]") };
    Ok(RankLoads { name, num_ranks, iterations })
}
