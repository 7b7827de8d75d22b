// Opens pictures in the full view.
import { getJob } from "../api/jobs";
import { valueUrl } from "../api/pictures";
import { openDialog } from "../shell/dialogs";
import { notifyError } from "../store/notices";
import { Viewer } from "./Viewer";
import { type Picture, picturesOf } from "./picture";

export function view(pictures: readonly Picture[], at: number): void {
  const name = pictures[at]?.name ?? "Picture";
  openDialog({ title: name, wide: true, content: <Viewer pictures={pictures} first={at} /> });
}

export function viewFile(id: string, number: number): void {
  getJob(id)
    .then((job) => {
      const found = picturesOf(job);
      view(
        found,
        Math.max(
          0,
          found.findIndex((each) => each.number === number),
        ),
      );
    })
    .catch((error: unknown) => notifyError("the picture cannot be shown", error));
}

export function viewValue(key: string, output: string, name: string, items = 1, at = 0): void {
  const pictures = Array.from({ length: items }, (_, item): Picture => {
    const small = valueUrl(key, output, item, 256);
    return { key: `${key}/${output}/${item}`, name: `${name} ${output}`, url: valueUrl(key, output, item), small };
  });
  view(pictures, at);
}
