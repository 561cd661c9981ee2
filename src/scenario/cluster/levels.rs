use super::feeds::{is_new, unknown};
use super::racks::at_least_one;
use crate::cluster::{Cluster, Level};
use crate::document::{Document, Mark, Placed, Table};
use crate::error::Problem;

/// Reads `[[level]]` into `cluster`, from the highest level down.
pub(super) fn levels(document: &Document, table: &mut Table<'_>, cluster: &mut Cluster) {
    let mut names: Vec<Placed<String>> = Vec::new();
    for mut level in table.tables("level") {
        let name = level.required::<String>("name");
        let first_racks = first_racks(document, &mut level, cluster);
        let mark = level.mark();
        level.finish();
        let Some(name) = name else { continue };
        if name.value == Level::RACK {
            document.complain(name.mark, Problem::new("level `rack` is there from the start"));
        } else if is_new(document, "level", &name, names.iter()) {
            // A wrong one keeps its name, so that what refers to it is not reported as well.
            let level = Level {
                name: name.value.clone(),
                first_racks: first_racks.unwrap_or_else(|| begins(cluster)),
            };
            must_nest(document, mark, &level, cluster);
            cluster.levels.push(level);
            names.push(name);
        }
    }
}

/// The first rack of each domain, by how many racks each has or by the feeds that they hang below; none, which is then
/// reported, if that divides no cluster.
fn first_racks(document: &Document, level: &mut Table<'_>, cluster: &Cluster) -> Option<Vec<u32>> {
    let racks = at_least_one(document, level, "racks")?;
    let feeds = level.list::<String>("feeds");
    match racks {
        Some(_) if level.has("feeds") => {
            level.complain(Problem::new("`racks` beside `feeds`").hint("either says what a domain is"));
            None
        }
        Some(each) => Some(counted(cluster, each)),
        None if level.has("feeds") => below(document, level, &feeds, cluster),
        None => {
            let problem = Problem::new("nothing says what a domain of the level is");
            level.complain(problem.hint("`racks`, how many each has, or `feeds`, below which they hang"));
            None
        }
    }
}

/// Where the domains of the level above begin; where there is none, the racks of each site.
fn begins(cluster: &Cluster) -> Vec<u32> {
    if let Some(above) = cluster.levels.last() {
        return above.first_racks.clone();
    }
    let site = |rack: &u32| cluster.feeds[cluster.racks[*rack as usize].feed as usize].site;
    let racks: Vec<u32> = (0..).take(cluster.racks.len()).collect();
    racks.chunk_by(|one, next| site(one) == site(next)).map(|own| own[0]).collect()
}

/// So many racks in a row each; the last of a domain above, or of a site, has what is left there.
fn counted(cluster: &Cluster, each: u32) -> Vec<u32> {
    let all = u32::try_from(cluster.racks.len()).unwrap_or(u32::MAX);
    let above = Level { first_racks: begins(cluster), ..Level::default() };
    above.domains(all).into_iter().flat_map(|domain| domain.step_by(each as usize)).collect()
}

/// The racks below each of some feeds.
fn below(
    document: &Document,
    level: &Table<'_>,
    feeds: &[Placed<String>],
    cluster: &Cluster,
) -> Option<Vec<u32>> {
    let mut of_rack: Vec<Option<&Placed<String>>> = vec![None; cluster.racks.len()];
    let mut whole = true;
    for name in feeds {
        let Some(feed) = cluster.feeds.iter().position(|feed| feed.name == name.value) else {
            unknown(document, "feed", name, cluster.feeds.iter().map(|feed| feed.name.as_str()));
            whole = false;
            continue;
        };
        let own: Vec<usize> =
            (0..cluster.racks.len()).filter(|rack| hangs_below(cluster, *rack, feed)).collect();
        if own.is_empty() {
            whole = false;
            document.complain(name.mark, Problem::new(format!("no rack hangs below feed `{}`", name.value)));
        }
        if let Some(other) = own.iter().find_map(|rack| of_rack[*rack]) {
            let message = format!("feeds `{}` and `{}` have racks in common", other.value, name.value);
            whole = false;
            document.complain(name.mark, Problem::new(message).hint("a rack lies in one domain of a level"));
        }
        own.into_iter().for_each(|rack| of_rack[rack] = Some(name));
    }
    if !whole {
        return None;
    }
    if let Some(rack) = of_rack.iter().position(Option::is_none) {
        let feed = &cluster.feeds[cluster.racks[rack].feed as usize].name;
        let problem = Problem::new(format!("rack {rack} of feed `{feed}` lies in no domain of the level"));
        level.complain(problem.hint("every rack hangs below one of `feeds`"));
        return None;
    }
    let feed = |rack: &usize| of_rack[*rack].map(|name| &name.value);
    let racks: Vec<usize> = (0..of_rack.len()).collect();
    let first = |own: &[usize]| u32::try_from(own[0]).ok();
    racks.chunk_by(|one, next| feed(one) == feed(next)).map(first).collect()
}

fn hangs_below(cluster: &Cluster, rack: usize, feed: usize) -> bool {
    let parent = |own: &u32| cluster.feeds[*own as usize].parent;
    let mut chain = std::iter::successors(Some(cluster.racks[rack].feed), parent);
    chain.any(|own| own as usize == feed)
}

/// Each domain lies in one of the level above.
fn must_nest(document: &Document, mark: Mark, level: &Level, cluster: &Cluster) {
    let Some(above) = cluster.levels.last() else { return };
    if let Some(rack) = level.crossed(above) {
        let (name, above) = (&level.name, &above.name);
        let problem = Problem::new(format!("a {above} begins at rack {rack}, in the middle of a {name}"));
        document.complain(
            mark,
            problem.hint("levels stand from the highest down, each inside the one before it"),
        );
    }
}
