import { useEffect } from "react";
import { hearDrops } from "../files/dropping";
import { hearPictures, restoreFromPicture } from "../results/dragging";
import { checkWhileEditing } from "./checking";
import { followServer } from "./session";

/** Keeps the page up to date with the server while it is open. */
export function useServer(): void {
  useEffect(() => {
    const ends = [followServer(), checkWhileEditing(), hearPictures(), hearDrops(restoreFromPicture)];
    return () => ends.forEach((end) => end());
  }, []);
}
