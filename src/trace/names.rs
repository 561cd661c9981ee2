use crate::workload::PlatformSet;
use std::cell::RefCell;

/// Names of platforms, in the order in which they are first named: for those who read a trace on no cluster and need to
/// know no more of them.
///
/// ```
/// use gigawatt::trace::PlatformNames;
/// let platforms = PlatformNames::from_iter(["h100".to_owned()]);
/// assert_eq!((platforms.index_of("t4"), platforms.index_of("h100")), (Some(1), Some(0)));
/// assert_eq!(platforms.names(), ["h100", "t4"]);
/// ```
#[derive(Debug, Default)]
pub struct PlatformNames {
    names: RefCell<Vec<String>>,
}

impl PlatformNames {
    /// The index of the platform of that name, which is new where it is not known; none where there are too many.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let mut names = self.names.borrow_mut();
        if let Some(index) = names.iter().position(|known| known == name) {
            return Some(index);
        }
        names.push(name.to_owned());
        let new = names.len() - 1;
        if new < PlatformSet::MAX {
            return Some(new);
        }
        names.pop();
        None
    }
    /// All of them, by index.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.names.borrow().clone()
    }
}

impl FromIterator<String> for PlatformNames {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self { names: RefCell::new(names.into_iter().collect()) }
    }
}
