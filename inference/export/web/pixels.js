// Images of the browser to what a network takes, and back. The formulas are those of the metadata in an ONNX file.

const LUMA = [19595, 38470, 7471];  // red, green and blue in 65536ths, as Pillow has them

// Return N x C x H x W, float32 in [-1, 1], of an ImageData; N is 1, C is 1 or 3.
export function toNetwork({ data, width, height }, channels) {
  const count = width * height, values = new Float32Array(channels * count);
  for (let place = 0; place < count; place++) {
    const [red, green, blue] = [data[4 * place], data[4 * place + 1], data[4 * place + 2]];
    if (channels === 1) {
      const gray = (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2] + 32768) >> 16;
      values[place] = gray / 127.5 - 1;
    } else {
      values[place] = red / 127.5 - 1;
      values[count + place] = green / 127.5 - 1;
      values[2 * count + place] = blue / 127.5 - 1;
    }
  }
  return { values, dims: [1, channels, height, width] };
}

// Return an ImageData of what a network made; it keeps the alpha of the image that went in.
export function fromNetwork({ values, dims }, { data: before }) {
  const [, channels, height, width] = dims, count = width * height;
  const image = new ImageData(width, height);
  for (let place = 0; place < count; place++) {
    for (let color = 0; color < 3; color++) {
      const value = values[(channels === 1 ? 0 : color) * count + place];
      image.data[4 * place + color] = Math.round((value + 1) * 127.5);  // clipped by the array
    }
    image.data[4 * place + 3] = before[4 * place + 3];
  }
  return image;
}
