// What nodes are called on the page: short names made of their ids, spelled as the field spells them.

const SPELLED: Readonly<Record<string, string>> = {
  apg: "APG",
  cfg: "CFG",
  clip: "CLIP",
  controlnet: "ControlNet",
  ddim: "DDIM",
  ddpm: "DDPM",
  dpm2: "DPM2",
  dpmpp: "DPM++",
  edm: "EDM",
  freeu: "FreeU",
  lcm: "LCM",
  lora: "LoRA",
  pag: "PAG",
  sag: "SAG",
  sdxl: "SDXL",
  snr: "SNR",
  unipc: "UniPC",
  vae: "VAE",
};

/** `apply_controlnet` as "Apply ControlNet"; the pack before a dot is left out. */
export function labelOf(type: string): string {
  const words = type.slice(type.lastIndexOf(".") + 1).split("_");
  const text = words.map((word) => SPELLED[word] ?? (/\d/.test(word) ? word.toUpperCase() : word)).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
