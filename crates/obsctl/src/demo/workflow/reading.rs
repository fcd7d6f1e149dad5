//! Steps 1 to 5: the files, read, split and indexed.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use obs_core::Level;
use serde_json::json;

use super::{Request, Workflow};
use crate::demo::chunks::{self, Passage};
use crate::demo::files::{self, Document, Limits, Listing, Scratch};
use crate::demo::index::Index;
use crate::demo::model::Source;
use crate::demo::tools::Workbench;

/// So many headings go into the prompt that rewrites the question.
const HEADINGS: usize = 60;

/// The files in the forms that later steps need.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) passages: Vec<Passage>,
    pub(super) index: Index,
    pub(super) bench: Arc<Workbench>,
}

impl Corpus {
    /// The headings of the files, each once.
    pub(super) fn headings(&self) -> Vec<Source> {
        let mut headings: Vec<Source> = Vec::new();
        for passage in &self.passages {
            if let Some(heading) = &passage.heading
                && headings.len() < HEADINGS
                && !headings.iter().any(|known| known.text == *heading)
            {
                headings.push(Source { label: passage.label(), text: heading.clone() });
            }
        }
        headings
    }
}

impl Workflow<'_> {
    pub(super) async fn prepare(&self) -> anyhow::Result<Scratch> {
        self.step("prepare", "prepare a scratch folder", async |step| {
            let scratch = Scratch::new().context("cannot make a scratch folder")?;
            step.output_with(|| scratch.path().to_string_lossy().into_owned());
            Ok(scratch)
        })
        .await
    }

    pub(super) async fn read(&self, request: &Request, scratch: &Path) -> anyhow::Result<Corpus> {
        let listing = self.list(&request.dir).await?;
        let documents = self.read_files(&request.dir, &listing).await?;
        let passages = self.split(&documents).await?;
        let index = self.index(&passages).await?;
        let bench = Workbench { root: request.dir.clone(), scratch: scratch.to_owned(), documents };
        Ok(Corpus { passages, index, bench: Arc::new(bench) })
    }

    async fn list(&self, dir: &Path) -> anyhow::Result<Listing> {
        self.step("list", "list files", async |step| {
            step.input_with(|| dir.to_string_lossy().into_owned());
            let listing = files::list(dir, Limits::default())
                .with_context(|| format!("cannot list {}", dir.display()))?;
            for (path, why) in &listing.skipped {
                self.obs.log(Level::Debug, format!("skipped {}: {}", path.display(), why.as_str()));
            }
            step.output_with(|| {
                json!({
                    "files": listing.files.len(),
                    "bytes": listing.bytes(),
                    "skipped": listing.skipped.len(),
                })
            });
            if listing.files.is_empty() {
                bail!("{} holds no .md, .txt or .rs files; name another directory", dir.display());
            }
            Ok(listing)
        })
        .await
    }

    async fn read_files(&self, dir: &Path, listing: &Listing) -> anyhow::Result<Vec<Document>> {
        self.step("read", "read files", async |step| {
            let mut documents = Vec::with_capacity(listing.files.len());
            for file in &listing.files {
                match files::read(dir, file, Limits::default()) {
                    Ok(document) => {
                        self.meters.file(&document);
                        documents.push(document);
                    }
                    Err(error) => {
                        self.obs.log(Level::Warn, format!("cannot read {}: {error}", file.path.display()));
                    }
                }
            }
            let bytes: usize = documents.iter().map(|document| document.text.len()).sum();
            self.obs.log(Level::Info, format!("read {} files, {bytes} bytes", documents.len()));
            step.output_with(|| json!({ "files": documents.len(), "bytes": bytes }));
            Ok(documents)
        })
        .await
    }

    async fn split(&self, documents: &[Document]) -> anyhow::Result<Vec<Passage>> {
        self.step("split", "split into passages", async |step| {
            let passages: Vec<_> = documents.iter().flat_map(chunks::split).collect();
            for passage in &passages {
                self.meters.passage(passage);
            }
            step.output_with(|| json!({ "passages": passages.len() }));
            Ok(passages)
        })
        .await
    }

    async fn index(&self, passages: &[Passage]) -> anyhow::Result<Index> {
        self.step("index", "build the index", async |step| {
            let index = Index::build(passages);
            self.meters.index(passages.len(), index.terms());
            step.output_with(|| json!({ "passages": passages.len(), "terms": index.terms() }));
            Ok(index)
        })
        .await
    }
}
