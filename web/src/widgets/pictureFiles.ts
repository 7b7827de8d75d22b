// Pictures that come by paste, drop or choice, brought to the server.
import { upload } from "../api/media";
import { notifyError } from "../store/notices";

export function pictureIn(transfer: DataTransfer | null): File | undefined {
  return [...(transfer?.files ?? [])].find((each) => each.type.startsWith("image/"));
}

export function carriesFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes("Files") ?? false;
}

/** Send a picture and pass on what a workflow writes for it. */
export async function sendPicture(file: File, onDone: (name: string) => void): Promise<void> {
  try {
    onDone((await upload(file, file.name || "pasted.png")).file);
  } catch (error) {
    notifyError(`${file.name || "the picture"} could not be sent`, error);
  }
}
