import { type KeyboardEvent, useEffect, useMemo } from "react";
import { deleteJob } from "../api/jobs";
import { ask } from "../running/submit";
import { nameOf } from "../running/groups";
import { readMore, readNewest, searchGallery, useGallery } from "../store/gallery";
import { useJobs } from "../store/jobs";
import { IconButton } from "../theme/IconButton";
import { PICTURE_DRAG } from "./dragging";
import "./gallery.css";
import { type Picture, picturesOf } from "./picture";
import { view } from "./viewing";

const COLUMNS = 3;

/** The pictures of all runs, the newest first. */
export function GalleryPanel() {
  const { jobs, search, label, before, isReading } = useGallery();
  const newest = useJobs((state) => state.over[0]?.id);
  const labels = useMemo(() => [...new Set(jobs.map(nameOf))].sort(), [jobs]);
  const pictures = useMemo(
    () => jobs.filter((each) => label === "" || nameOf(each) === label).flatMap(picturesOf),
    [jobs, label],
  );

  useEffect(() => void readNewest(), [newest]);

  return (
    <div className="gallery">
      <div className="gallery-tools">
        <input
          type="search"
          aria-label="Search pictures"
          placeholder="Search names and values"
          value={search}
          onChange={(event) => searchGallery(event.target.value)}
        />
        <select
          aria-label="Workflow"
          value={label}
          onChange={(event) => useGallery.setState({ label: event.target.value })}
        >
          <option value="">All workflows</option>
          {labels.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </div>
      {pictures.length === 0 && (
        <p className="hint">{isReading ? "Reading…" : search ? "No picture matches." : "Pictures appear here."}</p>
      )}
      <ul className="gallery-grid" aria-label="Pictures">
        {pictures.map((each, index) => (
          <Tile key={each.key} picture={each} onOpen={() => view(pictures, index)} />
        ))}
      </ul>
      {before !== null && (
        <button type="button" className="queue-more" disabled={isReading} onClick={() => void readMore()}>
          Show more
        </button>
      )}
    </div>
  );
}

function Tile({ picture, onOpen }: { readonly picture: Picture; readonly onOpen: () => void }) {
  const { job, name } = picture;
  const remove = () => {
    if (!job) return;
    void ask("the run was not removed", () => deleteJob(job.id)).then(() =>
      useGallery.setState(({ jobs }) => ({ jobs: jobs.filter((each) => each.id !== job.id) })),
    );
  };
  return (
    <li className="tile">
      <button
        type="button"
        aria-label={`Show ${name}`}
        title={name}
        draggable
        onDragStart={(event) => event.dataTransfer.setData(PICTURE_DRAG, job?.id ?? "")}
        onKeyDown={onTileKey}
        onClick={onOpen}
      >
        <img src={picture.small} alt="" loading="lazy" />
      </button>
      <span className="tile-tools">
        <IconButton icon="trash" label="Remove from the history; the file stays" onClick={remove} />
      </span>
    </li>
  );
}

/** Arrow keys go from picture to picture. */
function onTileKey(event: KeyboardEvent<HTMLElement>): void {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const all = [...document.querySelectorAll<HTMLElement>(".tile > button")];
  all[all.indexOf(event.currentTarget) + step]?.focus();
}
