use super::shader::{self, Domain, Query};

/// How many columns [`Domains`] has.
pub const COLUMNS: usize = 9;

/// What the cost function reads of domains, a column a field: nodes for requests of one pod, racks for gangs.
///
/// A column is contiguous, so that a processor reads sixteen domains with one load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains {
    /// [`Domain::scopes`].
    pub scopes: Vec<u32>,
    /// [`Domain::units`].
    pub units: Vec<u32>,
    /// [`Domain::partial`].
    pub partial: Vec<u32>,
    /// [`Domain::cpu`].
    pub cpu: Vec<u32>,
    /// [`Domain::memory`].
    pub memory: Vec<u32>,
    /// [`Domain::headroom`].
    pub headroom: Vec<u32>,
    /// [`Domain::own`].
    pub own: Vec<u32>,
    /// [`Domain::stranded`].
    pub stranded: Vec<u32>,
    /// The group of domains that share platform and site: a column of the [`Tables`].
    pub group: Vec<u32>,
}

impl Domains {
    /// How many domains there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.scopes.len()
    }
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }
    /// The columns in the order of their declaration, each as long as there are domains.
    #[must_use]
    pub fn columns(&self) -> [&[u32]; COLUMNS] {
        [
            &self.scopes,
            &self.units,
            &self.partial,
            &self.cpu,
            &self.memory,
            &self.headroom,
            &self.own,
            &self.stranded,
            &self.group,
        ]
    }
    /// Adds a domain of a group after the others.
    pub fn push(&mut self, domain: Domain, group: u32) {
        let last = self.len();
        for column in self.columns_mut() {
            column.push(0);
        }
        self.set(last, domain);
        self.group[last] = group;
    }
    /// Replaces what is known of a domain; it stays in its group.
    pub fn set(&mut self, index: usize, domain: Domain) {
        self.scopes[index] = domain.scopes;
        self.units[index] = domain.units;
        self.partial[index] = domain.partial;
        self.cpu[index] = domain.cpu;
        self.memory[index] = domain.memory;
        self.headroom[index] = domain.headroom;
        self.own[index] = domain.own;
        self.stranded[index] = domain.stranded;
    }
    /// One domain.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Domain {
        Domain {
            scopes: self.scopes[index],
            units: self.units[index],
            partial: self.partial[index],
            cpu: self.cpu[index],
            memory: self.memory[index],
            headroom: self.headroom[index],
            own: self.own[index],
            stranded: self.stranded[index],
        }
    }
    /// Forgets every domain.
    pub fn clear(&mut self) {
        self.columns_mut().into_iter().for_each(Vec::clear);
    }

    const fn columns_mut(&mut self) -> [&mut Vec<u32>; COLUMNS] {
        [
            &mut self.scopes,
            &mut self.units,
            &mut self.partial,
            &mut self.cpu,
            &mut self.memory,
            &mut self.headroom,
            &mut self.own,
            &mut self.stranded,
            &mut self.group,
        ]
    }
}

/// What the cost function reads by index, because it would need a division or more than 32 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// How many groups of domains there are, at least 1.
    pub groups: u32,
    /// How many counts of free units the table of a group tells, at least 1; more count as the last.
    pub units_counted: u32,
    /// What free units strand, 0..=[`Tables::STRANDED_MAX`]: `stranded_index` of the shader tells where.
    pub stranded: Vec<u32>,
    /// Place costs: `place_index` of the shader tells where, [`Query::row`] the row.
    pub place: Vec<u32>,
}

impl Tables {
    /// The most that free units can strand, so that a fragmentation term stays within 0..=65535.
    pub const STRANDED_MAX: u32 = 32_000;

    /// Tables of groups in which nothing is stranded and all places cost the same, nothing.
    #[must_use]
    pub fn flat(groups: u32, rows: u32) -> Self {
        Self {
            groups,
            units_counted: 1,
            stranded: vec![0; groups as usize],
            place: vec![0; groups as usize * rows as usize],
        }
    }
    /// What `units` free units strand in a group.
    #[must_use]
    #[inline]
    pub fn stranded(&self, group: u32, units: u32) -> u32 {
        self.stranded[shader::stranded_index(group, self.units_counted, units) as usize]
    }
    /// The place cost of a query in a group.
    #[must_use]
    #[inline]
    pub fn place(&self, query: &Query, group: u32) -> u32 {
        self.place[shader::place_index(query.row, self.groups, group) as usize]
    }
}
