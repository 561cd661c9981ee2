use super::super::files::Files;
use super::site;
use crate::cluster::{Feed, Site};
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;
use crate::hardware::Loss;
use crate::units::Watts;

/// A feed as described, its relatives still names.
struct Draft {
    name: Placed<String>,
    site: Option<Placed<String>>,
    parent: Option<Placed<String>>,
    cap: Option<Watts>,
    losses: Vec<Loss>,
}

/// Reads `[[site]]` and `[[feed]]`; each is none if it cannot be used. Without any there is one of each.
pub(super) fn read(
    document: &Document,
    table: &mut Table<'_>,
    files: &mut Files,
) -> (Option<Vec<Site>>, Option<Vec<Feed>>) {
    let mut names: Vec<Placed<String>> = Vec::new();
    let mut sites: Vec<Site> = Vec::new();
    let mut whole = true;
    for mut table in table.tables("site") {
        let name = table.required::<String>("name");
        let (site, weather) = site::read(&mut table);
        match name {
            Some(name) if is_new(document, "site", &name, names.iter()) => {
                files.weather.extend(weather.map(|file| (name.value.clone(), file)));
                sites.push(Site { name: name.value.clone(), ..site });
                names.push(name);
            }
            _ => whole = false,
        }
        table.finish();
    }
    let mut drafts: Vec<Draft> = Vec::new();
    for mut feed in table.tables("feed") {
        let name = feed.required::<String>("name");
        let site = feed.optional("site");
        let parent = feed.optional("parent");
        let cap = feed.optional::<Watts>("cap").map(|cap| cap.value);
        let losses = site::losses(&mut feed);
        match name {
            Some(name) if is_new(document, "feed", &name, drafts.iter().map(|draft| &draft.name)) => {
                drafts.push(Draft { name, site, parent, cap, losses });
            }
            _ => whole = false,
        }
        feed.finish();
    }
    let named = !sites.is_empty();
    if !named {
        sites.push(Site { name: "site".to_owned(), ..Site::default() });
    }
    if drafts.is_empty() && whole {
        // A site without a feed is the grid's own.
        let feed = |(index, site): (u32, &Site)| {
            let name = if named { site.name.clone() } else { "feed".to_owned() };
            Feed { name, site: index, ..Feed::default() }
        };
        let feeds = (0..).zip(&sites).map(feed).collect();
        return (Some(sites), Some(feeds));
    }
    let feeds = whole.then(|| tree(document, &drafts, &sites)).flatten();
    (Some(sites), feeds)
}

pub(super) fn is_new<'a>(
    document: &Document,
    what: &str,
    name: &Placed<String>,
    mut known: impl Iterator<Item = &'a Placed<String>>,
) -> bool {
    let again = known.any(|other| other.value == name.value);
    if again {
        document.complain(name.mark, Problem::new(format!("{what} `{}` is described twice", name.value)));
    }
    if name.is_empty() {
        document.complain(name.mark, Problem::new(format!("a {what} needs a name that is not empty")));
    }
    !again && !name.is_empty()
}

/// The feeds by site, each before those it feeds, so that whatever hangs below one is contiguous.
fn tree(document: &Document, drafts: &[Draft], sites: &[Site]) -> Option<Vec<Feed>> {
    let mut parents = Vec::new();
    let mut whole = true;
    for draft in drafts {
        let parent = draft.parent.as_ref().map(|parent| {
            let found = drafts.iter().position(|other| other.name.value == parent.value);
            if found.is_none() {
                let names = drafts.iter().map(|draft| draft.name.value.as_str());
                unknown(document, "feed", parent, names);
                whole = false;
            }
            found
        });
        parents.push(parent.flatten());
    }
    let mut site_of = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let root = root(document, drafts, &parents, index)?;
        let site = site(document, draft, &drafts[root], sites);
        whole &= site.is_some();
        site_of.push(site.unwrap_or_default());
    }
    if !whole {
        return None;
    }
    let mut order = Vec::new();
    for site in 0..sites.len() {
        for top in (0..drafts.len()).filter(|index| parents[*index].is_none() && site_of[*index] == site) {
            below(&parents, top, &mut order);
        }
    }
    let place = |index: usize| order.iter().position(|other| *other == index);
    let small = |number: usize| u32::try_from(number).expect("a document has few feeds");
    let feed = |index: &usize| Feed {
        name: drafts[*index].name.value.clone(),
        site: small(site_of[*index]),
        parent: parents[*index].and_then(place).map(small),
        cap: drafts[*index].cap,
        losses: drafts[*index].losses.clone(),
    };
    Some(order.iter().map(feed).collect())
}

/// The feed at the top of the one at `index`; none, which is then reported, if they feed each other in a ring.
fn root(document: &Document, drafts: &[Draft], parents: &[Option<usize>], index: usize) -> Option<usize> {
    let mut path = vec![index];
    while let Some(parent) = parents[path[path.len() - 1]] {
        if let Some(first) = path.iter().position(|other| *other == parent) {
            let mut names: Vec<&str> = path[first..].iter().map(|i| drafts[*i].name.value.as_str()).collect();
            names.push(names[0]);
            let mark: Mark =
                drafts[index].parent.as_ref().map_or(drafts[index].name.mark, |parent| parent.mark);
            document.complain(mark, Problem::new(format!("feeds in a ring: `{}`", names.join("` <- `"))));
            return None;
        }
        path.push(parent);
    }
    path.last().copied()
}

/// The index of the site a feed belongs to: its own word, or that of the feed at its top.
fn site(document: &Document, draft: &Draft, root: &Draft, sites: &[Site]) -> Option<usize> {
    let Some(given) = draft.site.as_ref().or(root.site.as_ref()) else {
        if sites.len() > 1 {
            document.complain(draft.name.mark, Problem::new("missing `site`: there are several"));
            return None;
        }
        return Some(0);
    };
    let found = sites.iter().position(|site| site.name == given.value);
    if found.is_none() {
        unknown(document, "site", given, sites.iter().map(|site| site.name.as_str()));
    }
    if let Some(own) = &draft.site
        && root.site.as_ref().is_some_and(|site| site.value != own.value)
    {
        let message = format!("feed `{}` is at another site than the feed above it", draft.name.value);
        document.complain(own.mark, Problem::new(message));
        return None;
    }
    found
}

fn below(parents: &[Option<usize>], top: usize, order: &mut Vec<usize>) {
    // No recursion: a file decides how deep the tree is.
    let mut stack = vec![top];
    while let Some(index) = stack.pop() {
        order.push(index);
        stack.extend((0..parents.len()).rev().filter(|child| parents[*child] == Some(index)));
    }
}

/// Reports a name that nothing has.
pub(in crate::scenario) fn unknown<'a>(
    document: &Document,
    what: &str,
    name: &Placed<String>,
    known: impl Iterator<Item = &'a str>,
) {
    let problem = Problem::new(format!("unknown {what} `{}`", name.value));
    document.complain(name.mark, problem.hint_nearest(name, known));
}
