"""Tensors survive bit by bit, whatever their dtype, shape and layout; other programs can read what is written."""

import dataclasses
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from nodegraph.ports.codec import Encoded, NotPortable, Undecodable, decode, encode, pack, unpack
from nodegraph.ports.codec.tensors import SAFETENSORS_NAMES, raw

DTYPES = [getattr(torch, name) for name in SAFETENSORS_NAMES if hasattr(torch, name)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    pixels: Tensor
    mask: Tensor | None = None


def there_and_back(value: object) -> object:
    return decode(unpack(pack(encode(value))))


def bits(tensor: Tensor) -> bytes:
    return bytes(raw(tensor.contiguous()))


def assert_same(left: object, right: Tensor) -> None:
    assert isinstance(left, Tensor)
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    assert bits(left) == bits(right)


def random_bits(dtype: torch.dtype, shape: list[int]) -> Tensor:
    size = torch.empty(shape, dtype=dtype).numel() * dtype.itemsize
    data = torch.randint(0, 2 if dtype == torch.bool else 256, (size,), dtype=torch.uint8)
    return data.view(dtype).reshape(shape) if size else torch.empty(shape, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [[], [1], [0], [3, 0, 2], [2, 3, 5]], ids=str)
def test_every_dtype_and_shape(dtype: torch.dtype, shape: list[int]) -> None:
    tensor = random_bits(dtype, shape)
    assert_same(there_and_back(tensor), tensor)


def test_every_dtype_of_safetensors_is_known_to_this_torch() -> None:
    assert len(DTYPES) == len(SAFETENSORS_NAMES)
    assert set(safetensors.torch._TYPES) <= set(SAFETENSORS_NAMES.values())


@given(st.lists(st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)), max_size=5))
def test_mixtures(parts: list[tuple[torch.dtype, list[int]]]) -> None:
    tensors = [random_bits(dtype, shape) for dtype, shape in parts]
    back = there_and_back({"all": tuple(tensors)})
    assert isinstance(back, dict)
    for left, right in zip(back["all"], tensors, strict=True):
        assert_same(left, right)


BASE = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
COMPLEX = torch.complex(BASE, -BASE)


@pytest.mark.parametrize(
    "tensor",
    [
        BASE.transpose(0, 2),
        BASE[:, 1:, ::2],
        BASE[1, 2, 3],
        BASE[0, 0].expand(5, 4),
        BASE.flip(0),
        COMPLEX.conj(),
        COMPLEX.conj().imag,
        BASE.to(memory_format=torch.contiguous_format).view(-1)[5:],
        torch.tensor([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-45]),
    ],
)
def test_views_are_written_as_what_they_show(tensor: Tensor) -> None:
    assert_same(there_and_back(tensor), tensor.resolve_conj().resolve_neg())


def test_views_of_one_storage_come_back_apart() -> None:
    back = there_and_back([BASE[0], BASE[1], BASE])
    assert isinstance(back, list)
    for left, right in zip(back, [BASE[0], BASE[1], BASE], strict=True):
        assert_same(left, right)
    assert len({tensor.untyped_storage().data_ptr() for tensor in back}) == 3


def test_one_tensor_twice_is_written_once() -> None:
    picture = Picture(pixels=BASE, mask=BASE)
    assert len(encode(picture).tensors) == 1
    back = there_and_back(picture)
    assert isinstance(back, Picture)
    assert back.pixels is back.mask


def test_what_comes_back_can_be_trained_on_and_written_to() -> None:
    with torch.inference_mode():
        inference = torch.ones(3)
        encoded = encode([inference, BASE.mT])
        assert not any(tensor.is_inference() for tensor in encoded.tensors.values())
        back = decode(unpack(pack(encoded)))
    assert isinstance(back, list)
    for tensor in back:
        assert not tensor.is_inference()
        tensor.clone().requires_grad_().sum().backward()
        tensor.add_(1)


def test_a_default_device_does_not_divert_what_comes_back() -> None:
    with torch.device("meta"):
        back = there_and_back(BASE)
    assert_same(back, BASE)


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (nn.Parameter(torch.ones(2)), "only plain tensors"),
        (torch.ones(2, requires_grad=True), "gradient"),
        (torch.ones(2, device="meta"), "no content"),
        (torch.eye(2).to_sparse(), "dense"),
        (torch.ones(2, dtype=torch.complex128), "complex128"),
        (nn.Linear(1, 1), "memory of one process"),
    ],
    ids=["parameter", "gradient", "meta", "sparse", "complex128", "module"],
)
def test_tensors_without_plain_bytes_are_refused(tensor: object, why: str) -> None:
    with pytest.raises(NotPortable, match=why) as caught:
        encode(Picture(pixels=torch.ones(1), mask=tensor))  # type: ignore[arg-type]
    assert caught.value.path == "value.mask"


def test_other_programs_read_the_file(tmp_path: Path) -> None:
    tensors = [random_bits(dtype, [3, 2]) for dtype in DTYPES if SAFETENSORS_NAMES[str(dtype)[6:]] != "F8_E8M0"]
    file = tmp_path / "value.safetensors"
    file.write_bytes(pack(encode(tensors)))
    loaded = safetensors.torch.load_file(file)
    for number, tensor in enumerate(tensors):
        assert_same(loaded[str(number)], tensor)
    with safetensors.safe_open(file, "pt") as opened:
        assert opened.metadata()["format"] == "nodegraph-value/1"


@given(st.data())
def test_damaged_bytes_never_crash_nor_overallocate(data: st.DataObject) -> None:
    whole = pack(encode([BASE, BASE[0].to(torch.int8)]))
    place = data.draw(st.integers(0, len(whole) - 1))
    new = bytes([data.draw(st.integers(0, 255))])
    broken = data.draw(st.sampled_from([whole[:place], whole[:place] + new + whole[place + 1 :], whole + b"\0"]))
    try:
        decode(unpack(broken))
    except Undecodable:
        return


@pytest.mark.parametrize(
    "entry",
    [
        '{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4611686018427387904]}',
        '{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1],"data_offsets":[4,8]}',
        '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}',
        '{"dtype":"XYZ","shape":[1],"data_offsets":[0,4]}',
        '{"shape":[1],"data_offsets":[0,4]}',
        "[]",
    ],
)
def test_layouts_that_do_not_fit_are_refused(entry: str) -> None:
    document = '"[\\"tensor\\",\\"0\\"]"'
    header = f'{{"__metadata__":{{"format":"nodegraph-value/1","document":{document}}},"0":{entry}}}'.encode()
    with pytest.raises(Undecodable):
        unpack(len(header).to_bytes(8, "little") + header + b"\0" * 4)


def test_a_document_that_names_a_missing_tensor_is_refused() -> None:
    with pytest.raises(Undecodable, match="missing"):
        decode(Encoded(document=["tensor", "1"], tensors={"0": BASE}))
