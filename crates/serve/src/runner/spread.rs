//! Experts spread over ranks, as in training: the balancer plans from the counts of each sparse layer, and says which experts are lent to other ranks.

use collegium_balance::{Bucket, Layout, Policy, policy};
use collegium_core::{ExpertId, HostTensor, RankId};
use collegium_hlo::Mesh;
use collegium_model::config::{ModelConfig, MoeConfig};
use collegium_model::layers::transport::AllToAll;
use collegium_model::programs::{LendRoom, Part};
use collegium_runtime::{Array, Backend};
use collegium_train::adapt::{Adapter, BalanceOptions, Dispatch, Slots};

use super::{Pass, Runner};
use crate::ServeError;

/// Most rows of a rank for which programs have room for any routing; where there are more, a first program has room for an even one.
const FEW_ROWS: usize = 512;

/// Room of that program over what an even routing takes.
const SLACK: f64 = 1.25;

/// How experts are balanced over the ranks.
#[derive(Clone, Copy)]
pub struct Balance {
    /// The policy; homes stay where they are.
    pub policy: &'static dyn Policy,
    /// Slots of each rank for experts of others.
    pub clones: usize,
}

impl Default for Balance {
    fn default() -> Self {
        Self { policy: policy::by_name("two-tier").expect("a policy of that name"), clones: 1 }
    }
}

/// What the balancer did so far, over sparse layers and steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balanced {
    /// Rows of experts: tokens times their choices.
    pub rows: u64,
    /// Rows of the fullest rank, times the number of ranks: over `rows` it is the fullest over the mean.
    pub fullest: u64,
    /// The same with every expert at home.
    pub fullest_at_home: u64,
    /// Experts that were sent to other ranks.
    pub lent: u64,
}

/// The ranks, and where experts are.
pub(crate) struct Spread {
    adapter: Adapter,
    clones: usize,
    /// Rows of a block of the grouped products.
    block: usize,
    /// By sparse layer.
    layers: Vec<Lent>,
    pub(super) balanced: Balanced,
}

/// The experts of one layer.
struct Lent {
    homes: Layout,
    /// What lies in the slots, by rank.
    held: Vec<Vec<Option<ExpertId>>>,
}

/// Experts that go to other ranks, as [`Part::Lend`] reads it.
pub(super) struct Loan {
    /// By rank, {rank, clone}.
    pub(super) send: Vec<HostTensor>,
    /// By rank, {clone}.
    pub(super) source: Vec<HostTensor>,
    pub(super) room: LendRoom,
    count: u64,
}

impl Spread {
    pub(super) fn new(
        backend: &dyn Backend,
        mesh: &Mesh,
        config: &ModelConfig,
        (balance, block): (Balance, usize),
    ) -> Result<Self, ServeError> {
        let Balance { policy, clones } = balance;
        // Who makes no clones needs no room for them.
        let clones = if policy.plans_micro_batches() { clones } else { 0 };
        let options = BalanceOptions { policy, max_clones: clones, ..BalanceOptions::default() };
        let adapter = Adapter::new(backend, mesh, config, &AllToAll, options)?.with_block(block);
        let sparse = config.layers.iter().filter(|layer| layer.feed_forward.moe().is_some());
        let layers: Vec<Lent> =
            sparse.enumerate().map(|(at, _)| Lent::new(adapter.layout(at), clones)).collect();
        Ok(Self { adapter, clones, block, layers, balanced: Balanced::default() })
    }

    /// Slots of every rank for experts of a layer of so many.
    pub(super) fn slots(&self, experts: usize) -> usize {
        experts.div_ceil(self.adapter.ranks()) + self.clones
    }

    /// What lies in the slots of layers of so many experts before anything was lent, by rank.
    pub(crate) fn slots_of(&self, experts: usize) -> &[Vec<Option<ExpertId>>] {
        let layer = self.layers.iter().find(|layer| layer.homes.num_experts() == experts);
        &layer.expect("a layer of the model").held
    }

    /// The rooms of programs for steps of so many tokens on each rank, the smallest first; the last holds any plan.
    pub(super) fn buckets(&self, moe: &MoeConfig, tokens: usize) -> Vec<Bucket> {
        let (slots, rows, ranks) = (self.slots(moe.num_experts), tokens * moe.top_k, self.adapter.ranks());
        // Every slot may leave all but one row of its last block empty.
        let blocks = |rows: usize| (rows + slots * (self.block - 1)) / self.block;
        let all = Bucket { slots, places: rows, blocks: blocks(ranks * rows) };
        if rows <= FEW_ROWS {
            return vec![all];
        }
        let with_slack = |rows: usize| (rows as f64 * SLACK).ceil() as usize;
        vec![
            Bucket { slots, places: with_slack(rows.div_ceil(ranks)), blocks: blocks(with_slack(rows)) },
            all,
        ]
    }

    /// Plans a sparse layer from the counts of its routers, where every rank has so many `tokens` that count, in programs for `room` tokens.
    pub(super) fn plan(
        &mut self,
        (at, moe): (usize, &MoeConfig),
        counts: &Array,
        (tokens, room): (&[usize], usize),
        backend: &dyn Backend,
    ) -> Result<Dispatch, ServeError> {
        let rows: Vec<usize> = tokens.iter().map(|tokens| tokens * moe.top_k).collect();
        let buckets = self.buckets(moe, room);
        let fits = |need: Bucket| buckets.iter().copied().find(|bucket| bucket.fits(need));
        let pick = |_: &mut Adapter, need| fits(need).expect("the last bucket holds any plan");
        let dispatch = self.adapter.plan_in(at, counts, &rows, backend, pick)?;
        let report = &dispatch.report;
        let fullest = |rows: &[u64]| rows.len() as u64 * rows.iter().max().copied().unwrap_or(0);
        self.balanced.rows += report.rows;
        self.balanced.fullest += fullest(&report.rank_rows);
        self.balanced.fullest_at_home += fullest(&report.rank_rows_at_home);
        Ok(dispatch)
    }

    /// The slots of each sparse layer.
    pub(super) fn rooms(&self) -> impl Iterator<Item = LendRoom> {
        self.layers.iter().map(Lent::room)
    }

    /// What must be sent to the slots of a sparse layer before these experts are there; nothing where they are.
    pub(super) fn loan(&mut self, at: usize, slots: &Slots) -> Option<Loan> {
        let loan = self.layers[at].loan(slots.assignment())?;
        self.balanced.lent += loan.count;
        Some(loan)
    }
}

impl Lent {
    fn new(homes: &Layout, clones: usize) -> Self {
        let slots = homes.num_experts().div_ceil(homes.num_ranks()) + clones;
        let held = |rank: usize| {
            let own = homes.slots(RankId::from(rank)).iter().copied().map(Some);
            own.chain(std::iter::repeat(None)).take(slots).collect()
        };
        Self { homes: homes.clone(), held: (0..homes.num_ranks()).map(held).collect() }
    }

    /// Slots of a rank, and those that others may send experts to: ranks with a home less than others have one more.
    fn room(&self) -> LendRoom {
        let slots = self.held[0].len();
        LendRoom { slots, clones: slots - self.homes.num_experts() / self.homes.num_ranks() }
    }

    /// What must be sent so that experts lie as in `wanted`, by rank; nothing where they do. They are taken to lie so from now on.
    fn loan(&mut self, wanted: &[Vec<ExpertId>]) -> Option<Loan> {
        let (ranks, room) = (self.held.len(), self.room());
        let LendRoom { slots, clones } = room;
        let least = slots - clones;
        let mut send = vec![vec![0i32; ranks * clones]; ranks];
        let mut source = vec![vec![-1i32; clones]; ranks];
        let mut count = 0;
        for (rank, (held, wanted)) in self.held.iter_mut().zip(wanted).enumerate() {
            for (slot, &expert) in wanted.iter().enumerate() {
                if held[slot] == Some(expert) {
                    continue;
                }
                let home = self.homes.homes(expert)[0];
                let own = self.homes.slots(home).iter().position(|&e| e == expert).expect("its home has it");
                send[home.index()][rank * clones + slot - least] = own as i32;
                source[rank][slot - least] = home.index() as i32;
                held[slot] = Some(expert);
                count += 1;
            }
        }
        let table =
            |sizes: &[usize], all: &[Vec<i32>]| all.iter().map(|t| HostTensor::new(sizes, t)).collect();
        (count > 0).then(|| Loan {
            send: table(&[ranks, clones], &send),
            source: table(&[clones], &source),
            room,
            count,
        })
    }
}

impl Runner {
    /// A sparse layer on several ranks: router, plan, experts.
    pub(super) fn spread_layer(&mut self, pass: &Pass, moe: &MoeConfig) -> Result<Array, ServeError> {
        let layer = pass.layer;
        let at =
            self.config.layers[..layer].iter().filter(|layer| layer.feed_forward.moe().is_some()).count();
        let mut routed = self.call(pass.shape, Part::Router(layer), &pass.inputs)?;
        let counts = routed.take("counts");
        let spread = self.spread.as_mut().expect("only several ranks cut a layer");
        let tokens = (&pass.tokens[..], pass.shape.tokens());
        let dispatch = spread.plan((at, moe), &counts, tokens, &*self.backend)?;
        if let Some(loan) = spread.loan(at, &dispatch.slots) {
            self.lend(layer, &loan)?;
        }
        let given = routed.and(&dispatch.tables);
        Ok(self.call(pass.shape, Part::Experts(layer, dispatch.bucket), &given)?.take("hidden_out"))
    }

    /// Sends experts of a layer to the slots that a plan wants them in.
    fn lend(&mut self, layer: usize, loan: &Loan) -> Result<(), ServeError> {
        let program = self.program(self.shape((0, 1), 1), Part::Lend(layer, loan.room))?;
        let Self { weights, backend, .. } = self;
        let (send, source) = (backend.upload(&loan.send)?, backend.upload(&loan.source)?);
        let own = |name: &str| format!("layers.{layer}.{name}");
        let out = program.call(&**backend, |name| match name {
            "send" => Some(send.clone()),
            "source" => Some(source.clone()),
            _ => weights.remove(&own(name)),
        })?;
        let written = out.iter().map(|(name, array)| (own(name.trim_end_matches("_out")), array.clone()));
        weights.extend(written);
        Ok(())
    }
}
