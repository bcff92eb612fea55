//! The pages of the cache and the tree of what they hold: sequences with a common prefix share its pages (Zheng et al., 2312.07104).
//!
//! A page is in the tree only when it is full, and then it never changes, so sharing needs no copies: a sequence computes the rest of a
//! page that it shares in part again, fewer than [`PAGE`] tokens. Pages that no sequence uses stay in the tree until there is need of them.

use std::collections::HashMap;

use collegium_model::programs::PAGE;

/// A page of the cache. Page 0 is nobody's: unused rows of a step write there.
pub type PageId = u32;

/// All pages.
pub struct Pages {
    free: Vec<PageId>,
    /// How many sequences use a page, and one for the tree.
    uses: Vec<u32>,
    nodes: Vec<Option<Node>>,
    roots: HashMap<Vec<u32>, usize>,
    clock: u64,
}

struct Node {
    /// The tokens of the page.
    key: Vec<u32>,
    page: PageId,
    parent: Option<usize>,
    children: HashMap<Vec<u32>, usize>,
    /// When it was last found.
    used: u64,
}

impl Pages {
    /// `count` pages, the reserved one included.
    pub fn new(count: usize) -> Self {
        Self {
            free: (1..count as PageId).rev().collect(),
            uses: vec![0; count],
            nodes: Vec::new(),
            roots: HashMap::new(),
            clock: 0,
        }
    }

    /// Pages that sequences can have at all.
    pub fn total(&self) -> usize {
        self.uses.len() - 1
    }

    /// Pages that a sequence could have now.
    pub fn available(&self) -> usize {
        self.free.len() + self.held_by_tree_alone()
    }

    /// Pages that sequences use now, each counted once.
    pub fn in_use(&self) -> usize {
        self.total() - self.available()
    }

    /// Pages that are kept for what may come.
    pub fn held_by_tree_alone(&self) -> usize {
        self.nodes.iter().flatten().filter(|n| self.uses[n.page as usize] == 1).count()
    }

    fn children(&self, of: Option<usize>) -> &HashMap<Vec<u32>, usize> {
        match of {
            None => &self.roots,
            Some(at) => &self.nodes[at].as_ref().expect("a child keeps its parent").children,
        }
    }

    /// How many pages hold the beginning of `tokens`.
    pub fn known(&self, tokens: &[u32]) -> usize {
        let mut at = None;
        let mut known = 0;
        for key in tokens.chunks_exact(PAGE) {
            let Some(&next) = self.children(at).get(key) else { break };
            at = Some(next);
            known += 1;
        }
        known
    }

    /// The pages that hold the beginning of `tokens`; the caller uses them from now on.
    pub fn find(&mut self, tokens: &[u32]) -> Vec<PageId> {
        self.clock += 1;
        let (mut at, mut found) = (None, Vec::new());
        for key in tokens.chunks_exact(PAGE) {
            let Some(&next) = self.children(at).get(key) else { break };
            let node = self.nodes[next].as_mut().expect("the tree names nodes that are there");
            node.used = self.clock;
            self.uses[node.page as usize] += 1;
            found.push(node.page);
            at = Some(next);
        }
        found
    }

    /// A page for the caller: a free one, or the one that was longest not found.
    pub fn take(&mut self) -> Option<PageId> {
        if self.free.is_empty() {
            self.forget_one();
        }
        let page = self.free.pop()?;
        self.uses[page as usize] = 1;
        Some(page)
    }

    /// The caller uses `page` no more.
    pub fn give(&mut self, page: PageId) {
        let uses = &mut self.uses[page as usize];
        *uses -= 1;
        if *uses == 0 {
            self.free.push(page);
        }
    }

    /// Notes what the full pages among `pages` hold: the beginning of `tokens`. Where the tree has a page of the same tokens already, the caller
    /// gets that one in place of its own.
    pub fn keep(&mut self, tokens: &[u32], pages: &mut [PageId]) {
        let mut at = None;
        for (key, page) in tokens.chunks_exact(PAGE).zip(pages) {
            at = Some(match self.children(at).get(key) {
                Some(&known) => {
                    self.share(known, page);
                    known
                }
                None => self.insert(at, key, *page),
            });
        }
    }

    /// Puts the page of a node in place of the caller's.
    fn share(&mut self, node: usize, page: &mut PageId) {
        let known = self.nodes[node].as_ref().expect("the tree names nodes that are there").page;
        if known != *page {
            self.uses[known as usize] += 1;
            self.give(std::mem::replace(page, known));
        }
    }

    fn insert(&mut self, parent: Option<usize>, key: &[u32], page: PageId) -> usize {
        self.uses[page as usize] += 1;
        let node = Node { key: key.to_vec(), page, parent, children: HashMap::new(), used: self.clock };
        let at = match self.nodes.iter().position(Option::is_none) {
            Some(empty) => {
                self.nodes[empty] = Some(node);
                empty
            }
            None => {
                self.nodes.push(Some(node));
                self.nodes.len() - 1
            }
        };
        self.children_mut(parent).insert(key.to_vec(), at);
        at
    }

    fn children_mut(&mut self, of: Option<usize>) -> &mut HashMap<Vec<u32>, usize> {
        match of {
            None => &mut self.roots,
            Some(at) => &mut self.nodes[at].as_mut().expect("a child keeps its parent").children,
        }
    }

    /// Frees the leaf of the tree that nobody uses and that was longest not found.
    fn forget_one(&mut self) {
        let leaf = |n: &Node| n.children.is_empty() && self.uses[n.page as usize] == 1;
        let nodes = self.nodes.iter().enumerate().filter_map(|(at, n)| Some((at, n.as_ref()?)));
        let Some((at, _)) = nodes.filter(|(_, n)| leaf(n)).min_by_key(|(_, n)| n.used) else { return };
        let node = self.nodes[at].take().expect("it was just seen");
        self.children_mut(node.parent).remove(&node.key);
        self.give(node.page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pages: usize, seed: u32) -> Vec<u32> {
        (0..(pages * PAGE) as u32).map(|i| i * 7 + seed).collect()
    }

    #[test]
    fn a_common_prefix_is_stored_once() {
        let mut pages = Pages::new(8);
        let text = tokens(2, 0);
        assert!(pages.find(&text).is_empty());
        let mut mine: Vec<PageId> = (0..2).map(|_| pages.take().unwrap()).collect();
        pages.keep(&text, &mut mine);
        let mut other: Vec<PageId> = pages.find(&text[..PAGE + 3]);
        assert_eq!(other, mine[..1]);
        // The other computes the second page too, and gets the first one's for it.
        other.push(pages.take().unwrap());
        assert_eq!(pages.in_use(), 3);
        pages.keep(&text, &mut other);
        assert_eq!(other, mine);
        assert_eq!(pages.in_use(), 2);
        mine.into_iter().chain(other).for_each(|p| pages.give(p));
        assert_eq!((pages.in_use(), pages.held_by_tree_alone(), pages.available()), (0, 2, 7));
    }

    #[test]
    fn what_was_longest_not_found_goes_first_and_what_is_used_stays() {
        let mut pages = Pages::new(4);
        let texts = [tokens(1, 0), tokens(1, 1), tokens(1, 2)];
        for text in &texts {
            let mut own = vec![pages.take().unwrap()];
            pages.keep(text, &mut own);
            pages.give(own[0]);
        }
        let held = pages.find(&texts[0]);
        let fresh = pages.take().unwrap();
        assert!(fresh != held[0] && pages.find(&texts[1]).is_empty(), "the second was found longest ago");
        assert_eq!(pages.find(&texts[2]).len(), 1);
        assert!(pages.take().is_none(), "all are in use");
    }
}
