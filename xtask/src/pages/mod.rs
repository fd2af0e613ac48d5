//! Pages of runs: where they are put, and what they say to somebody who sees one for the first time.

mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use synod_picture::{Look, Run, page, read_lines};
use synod_raft_check::registry::Plant;
use synod_sim::Kept;
use synod_transport::trace::read;

pub(crate) use words::{story, unjudged};

/// Writes a page, and says where it is.
pub(crate) fn write(run: &Run, look: &Look, path: &Path) -> Result<()> {
    put(path, &page(run, look))?;
    println!("page: {}", path.display());
    Ok(())
}

/// Writes a file and the folders it stands in.
pub(crate) fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Where a page goes that nobody gave a place.
pub(crate) fn usual_place(name: &str) -> Result<PathBuf> {
    Ok(crate::workspace_root()?.join("target/pages").join(name).with_extension("html"))
}

/// A simulated world that can be drawn.
pub(crate) struct World<'a> {
    pub(crate) seed: u64,
    pub(crate) nodes: u64,
    pub(crate) plant: Option<&'a str>,
}

impl World<'_> {
    /// The name of its page.
    pub(crate) fn name(&self) -> String {
        let plant = self.plant.map(|name| format!("-{name}")).unwrap_or_default();
        format!("raft-{}-nodes-seed-{}{plant}", self.nodes, self.seed)
    }

    fn plant(&self) -> Result<Option<Plant>> {
        let find = |name: &str| Plant::from_name(name).with_context(|| format!("no fault is called {name}"));
        self.plant.map(find).transpose()
    }

    /// Runs it and reads what happened.
    pub(crate) fn run(&self) -> Result<Run> {
        let kept = Kept::default();
        synod_raft_check::run_covered_traced(self.seed, self.nodes, self.plant()?, Box::new(kept.clone()))?;
        let bytes = kept.take();
        let lines = read(&*bytes).collect::<Result<_, _>>()?;
        Ok(read_lines(lines, &self.name())?)
    }

    /// Runs it and writes its page.
    pub(crate) fn draw(&self, out: &Path) -> Result<()> {
        let run = self.run()?;
        let plant = self.plant.map(|name| format!(" --plant {name}")).unwrap_or_default();
        let look = Look {
            title: match self.plant {
                None => format!("Seed {}: {} Raft nodes", self.seed, self.nodes),
                Some(name) => format!("{name}: {} Raft nodes, seed {}", self.nodes, self.seed),
            },
            story: story(&run, &self.scene(), self.plant()?),
            command: format!(
                "cargo xtask sim raft --seed {} --nodes {}{plant} --html {}",
                self.seed,
                self.nodes,
                out.display()
            ),
            ..Look::default()
        };
        write(&run, &look, out)
    }

    fn scene(&self) -> String {
        format!(
            "{} real Raft nodes run in a simulated world whose network loses, delays and doubles messages and whose \
             machines pause and lose power as seed {} draws it.",
            self.nodes, self.seed
        )
    }
}
