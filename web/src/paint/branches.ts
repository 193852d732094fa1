/** Branches: which painting went on from which, as one tree. */

import type { Id, RunSummary } from '../lib/types';

export interface Twig {
  run: RunSummary;
  depth: number;
}

/** The whole family of a painting, each one under its parent, older first. */
export function family(runs: RunSummary[], id: Id): Twig[] {
  const known = new Map(runs.map((run) => [run.id, run]));
  const root = ancestor(known, id);
  if (!root) return [];
  const found: Twig[] = [];
  const seen = new Set<Id>();
  const walk = (run: RunSummary, depth: number): void => {
    if (seen.has(run.id)) return;
    seen.add(run.id);
    found.push({ run, depth });
    const children = runs.filter((each) => each.parent?.run === run.id);
    for (const child of children.sort((a, b) => a.started.localeCompare(b.started))) walk(child, depth + 1);
  };
  walk(root, 0);
  return found;
}

function ancestor(known: Map<Id, RunSummary>, id: Id): RunSummary | undefined {
  let run = known.get(id);
  const seen = new Set<Id>();
  while (run?.parent && known.has(run.parent.run) && !seen.has(run.id)) {
    seen.add(run.id);
    run = known.get(run.parent.run);
  }
  return run;
}
