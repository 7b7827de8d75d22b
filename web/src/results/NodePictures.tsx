import { useState } from "react";
import { fileUrl, valueUrl } from "../api/pictures";
import type { NodeData } from "../canvas/model";
import { NodeWork } from "../running/NodeWork";
import { useNodeRun, usePreview } from "../store/runs";
import { IconButton } from "../theme/IconButton";
import "./pictures.css";
import { useWrittenPictures } from "./useWrittenPictures";
import { viewFile, viewValue } from "./viewing";

interface Props {
  /** On the canvas. */
  readonly id: string;
  readonly data: NodeData;
}

const SHOWN = 4;

/** The foot of a node: how it works, its live preview, and the pictures that it made. */
export function NodePictures({ id, data }: Props) {
  const preview = usePreview(id);
  const run = useNodeRun(id);
  const { job, names, numbers } = useWrittenPictures(id);
  const output = data.ports?.outputs.find((each) => each.type.kind === "wire" && /\bImage$/.test(each.type.id))?.name;
  const [isHidden, setHidden] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const key = run?.state === "running" ? undefined : run?.key;
  const canLook = key !== undefined && output !== undefined && numbers.length === 0;
  const isShown = numbers.length > 0 ? !isHidden : isOpen;
  return (
    <>
      <NodeWork id={id} graph={data.graph} name={data.name} />
      {preview && <img className="node-preview" src={preview} alt={`Preview of ${data.name}`} />}
      {!preview && isShown && (
        <div className="node-pictures nodrag" data-many={numbers.length > 1 || undefined}>
          {numbers.slice(0, SHOWN).map((number) => (
            <button key={number} type="button" aria-label="Show the picture" onClick={() => viewFile(job, number)}>
              <img src={fileUrl(job, number)} alt={names[number] ?? ""} loading="lazy" />
            </button>
          ))}
          {canLook && (
            <button type="button" aria-label="Show the picture" onClick={() => viewValue(key, output, data.name)}>
              <img src={valueUrl(key, output, 0, 512)} alt={`${output} of ${data.name}`} loading="lazy" />
            </button>
          )}
        </div>
      )}
      {!preview && (numbers.length > 0 || canLook) && (
        <span className="node-eye">
          <IconButton
            icon={isShown ? "hide" : "eye"}
            label={isShown ? "Hide pictures" : "Show pictures"}
            onClick={() => (numbers.length > 0 ? setHidden(!isHidden) : setOpen(!isOpen))}
          />
        </span>
      )}
    </>
  );
}
