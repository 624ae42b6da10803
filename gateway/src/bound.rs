//! What the path binds, as a tree over field indexes, so that a body can be compared with it while it is read.

use crate::plan::{FieldPlan, MessagePlan};

/// The fields of one message that the path binds, directly or below.
#[derive(Debug, Default)]
pub(crate) struct BoundTree {
    branches: Vec<(u16, Branch)>,
}

#[derive(Debug)]
enum Branch {
    /// The variable with this place among the template's.
    Leaf(usize),
    Below(BoundTree),
}

/// A [`BoundTree`] with the values of one request: wire format without tags, `None` for those that could not be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound<'a> {
    tree: Option<&'a BoundTree>,
    values: &'a [Option<Vec<u8>>],
}

impl BoundTree {
    /// Adds a variable.
    pub(crate) fn insert(&mut self, path: &[u16], variable: usize) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        if rest.is_empty() {
            self.branches.push((*first, Branch::Leaf(variable)));
            return;
        }
        let known = self
            .branches
            .iter()
            .position(|(index, branch)| index == first && matches!(branch, Branch::Below(_)));
        let at = known.unwrap_or_else(|| {
            self.branches.push((*first, Branch::Below(Self::default())));
            self.branches.len() - 1
        });
        if let Some((_, Branch::Below(tree))) = self.branches.get_mut(at) {
            tree.insert(rest, variable);
        }
    }

    fn branch(&self, index: u16) -> Option<&Branch> {
        self.branches
            .iter()
            .find(|(known, _)| *known == index)
            .map(|(_, branch)| branch)
    }
}

impl Bound<'_> {
    /// Nothing is bound.
    pub(crate) const NONE: Bound<'static> = Bound {
        tree: None,
        values: &[],
    };
}

impl<'a> Bound<'a> {
    pub(crate) fn new(tree: &'a BoundTree, values: &'a [Option<Vec<u8>>]) -> Self {
        Self {
            tree: Some(tree),
            values,
        }
    }

    /// What is bound below a field.
    pub(crate) fn below(self, index: u16) -> Self {
        let tree = match self.tree.and_then(|tree| tree.branch(index)) {
            Some(Branch::Below(tree)) => Some(tree),
            _ => None,
        };
        Self { tree, ..self }
    }

    /// Whether the field itself is bound.
    pub(crate) fn is_leaf(self, index: u16) -> bool {
        matches!(self.tree.and_then(|tree| tree.branch(index)), Some(Branch::Leaf(_)))
    }

    /// The value that the path gives the field.
    pub(crate) fn leaf(self, index: u16) -> Option<&'a [u8]> {
        match self.tree?.branch(index)? {
            Branch::Leaf(variable) => self.values.get(*variable)?.as_deref(),
            Branch::Below(_) => None,
        }
    }

    /// The fields of a message that are bound, directly or below.
    pub(crate) fn fields<'p>(self, plan: &'p MessagePlan) -> impl Iterator<Item = (u16, &'p FieldPlan)> + use<'a, 'p> {
        let branches = self.tree.map_or(&[][..], |tree| &tree.branches);
        branches.iter().map(|(index, _)| (*index, plan.field(*index)))
    }
}
