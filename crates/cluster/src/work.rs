//! What a program does, sorted by what decides its price: products by shape, bytes by which ranks share them, messages.
//!
//! Attention's inner values, those with a dim `query` and a dim `key`, are kept apart: a fused kernel never writes them to memory, and a
//! program that is run as it is written does.

use collegium_hlo::{Kernel, Name, Node, Op, Program};

/// A matrix product: `batch` times {m, k} x {k, n}.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product {
    /// Independent products (slots, of a grouped one).
    pub batch: f64,
    /// Rows of each; tokens, wherever tokens are involved.
    pub m: f64,
    /// Columns.
    pub n: f64,
    /// Summed over.
    pub k: f64,
    /// Bytes of an element of the inputs.
    pub element: f64,
    /// Whether one input is a weight or an activation of a linear layer, which low precision may hold.
    pub linear: bool,
    /// How many of them.
    pub count: f64,
}

impl Product {
    /// FLOPs of all of them.
    pub fn flops(&self) -> f64 {
        2.0 * self.batch * self.m * self.n * self.k * self.count
    }

    /// Bytes that one of them reads and writes, the result in the inputs' type.
    pub fn bytes(&self) -> f64 {
        self.batch * (self.m * self.k + self.k * self.n + self.m * self.n) * self.element
    }
}

/// What one run of a program does on one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// Products outside attention.
    pub products: Vec<Product>,
    /// FLOPs of scores and of weights times values, with those of their gradients.
    pub attention_flops: f64,
    /// Bytes of attention's inner values, where they are written at all.
    pub attention_bytes: f64,
    /// Bytes of whole rows {token, hidden}: sequence parallelism shares them out.
    pub row_bytes: f64,
    /// Other bytes of element-wise work.
    pub bytes: f64,
    /// Bytes of the addressing of routed rows (one-hot products and their operands).
    pub address_bytes: f64,
    /// FLOPs of the addressing.
    pub address_flops: f64,
    /// Kernels outside attention.
    pub kernels: f64,
    /// FLOPs of everything, as [`collegium_hlo::Cost`] counts them.
    pub flops: f64,
}

fn has(node: &Node, name: Name) -> bool {
    node.shape.has(name)
}

/// Whether a value is inside attention.
fn is_inner(node: &Node) -> bool {
    has(node, "query") && has(node, "key")
}

/// Whether a value addresses routed rows: one row a choice, or a table over experts and ranks.
fn is_address(node: &Node) -> bool {
    (has(node, "choice_row") && !has(node, "hidden")) || (has(node, "rank") && has(node, "expert"))
}

impl Work {
    /// Of one run of `program`.
    pub fn of(program: &Program) -> Self {
        // Attention is looked at from inside, whatever kernel may run it.
        let program = &*program.plain();
        let mut work = Self { flops: program.cost().flops as f64, ..Self::default() };
        for kernel in program.kernels() {
            work.add(program, kernel);
        }
        work
    }

    fn add(&mut self, program: &Program, kernel: Kernel) {
        let node = &program.nodes[kernel.node];
        let inputs: Vec<&Node> = node.inputs.iter().map(|i| &program.nodes[i.index()]).collect();
        let bytes = (kernel.bytes_read + kernel.bytes_written) as f64;
        let inner = is_inner(node) || inputs.iter().any(|n| is_inner(n));
        match product(node, &inputs) {
            Some(p) if inner => {
                self.attention_flops += p.flops();
                self.attention_bytes += bytes;
                return;
            }
            Some(p) if is_address(node) || inputs.iter().any(|n| is_address(n)) => {
                self.address_flops += p.flops();
                self.address_bytes += bytes;
            }
            Some(p) => match self.products.iter_mut().find(|q| Product { count: p.count, ..**q } == p) {
                Some(same) => same.count += p.count,
                None => self.products.push(p),
            },
            // Pieces of queries and keys that a fused kernel addresses in place.
            None if inner || has(node, "query") || has(node, "key") => {
                self.attention_bytes += bytes;
                return;
            }
            None if node.op.axes().is_some() => return,
            None if is_address(node) => self.address_bytes += bytes,
            None if has(node, "hidden") && has(node, "token") => self.row_bytes += bytes,
            None => self.bytes += bytes,
        }
        self.kernels += 1.0;
    }

    /// The work of `times` runs more of `other`.
    pub fn add_runs(&mut self, other: &Self, times: f64) {
        self.products.extend(other.products.iter().map(|p| Product { count: p.count * times, ..*p }));
        self.attention_flops += times * other.attention_flops;
        self.attention_bytes += times * other.attention_bytes;
        self.row_bytes += times * other.row_bytes;
        self.bytes += times * other.bytes;
        self.address_bytes += times * other.address_bytes;
        self.address_flops += times * other.address_flops;
        self.kernels += times * other.kernels;
        self.flops += times * other.flops;
    }

    /// FLOPs of products outside attention.
    pub fn product_flops(&self) -> f64 {
        self.products.iter().map(Product::flops).sum()
    }
}

/// The product that a node is.
fn product(node: &Node, inputs: &[&Node]) -> Option<Product> {
    let element = inputs.first().map_or(2.0, |n| n.shape.dtype.size_bytes() as f64);
    let size = |n: &Node, keep: &dyn Fn(Name) -> bool| -> f64 {
        n.shape.dims.iter().filter(|d| keep(d.name)).map(|d| d.size as f64).product()
    };
    match &node.op {
        Op::Dot { contract } => {
            let (a, b) = (inputs[0], inputs[1]);
            let summed = |d: Name| contract.contains(&d);
            let shared = |d: Name| !summed(d) && has(a, d) && has(b, d);
            let (m, n) = (size(a, &|d| !summed(d) && !shared(d)), size(b, &|d| !summed(d) && !shared(d)));
            let k = size(a, &summed);
            Some(Product { batch: size(a, &shared), m, n, k, element, linear: true, count: 1.0 })
        }
        Op::GroupedDot { contract } => {
            let (rows, weights) = (inputs[0], inputs[1]);
            let slots = weights.shape.dims[0].size as f64;
            let k = rows.shape.size(contract).unwrap_or(1) as f64;
            let m = rows.shape.dims[0].size as f64 / slots;
            let n = node.shape.num_elements() as f64 / (m * slots);
            Some(Product { batch: slots, m, n, k, element, linear: true, count: 1.0 })
        }
        Op::GroupedOuter => {
            let slots = node.shape.dims[0].size as f64;
            let k = inputs[0].shape.dims[0].size as f64 / slots;
            let (m, n) = (inputs[0].shape.dims[1].size as f64, inputs[1].shape.dims[1].size as f64);
            Some(Product { batch: slots, m, n, k, element, linear: true, count: 1.0 })
        }
        _ => None,
    }
}
