"""The preview of a photo is small and upright, or there is none."""

from io import BytesIO

import pytest
from photos import DrawnBox, crops, preview, with_boxes
from PIL import Image, PngImagePlugin

from tests.colour_profiles import SPACES, cmyk_profile, grey_profile, in_space, rgb_profile
from tests.synthetic_images import windows_bmp


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_large_photo_is_scaled_down() -> None:
    small = preview(saved(Image.new("RGB", (2000, 1000), "red"), "JPEG"))

    assert small is not None
    assert Image.open(BytesIO(small)).size == (800, 400)


def test_rotated_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    upright = preview(saved(Image.new("RGB", (1600, 800), "red"), "JPEG", exif=exif))

    assert upright is not None
    assert Image.open(BytesIO(upright)).size == (400, 800)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("BMP", "L")])
def test_every_colour_mode_has_a_preview(kind: str, mode: str) -> None:
    assert preview(saved(Image.new(mode, (8, 8)), kind)) is not None


def middle_of(small: bytes | None) -> tuple[int, ...]:
    assert small is not None
    shown = Image.open(BytesIO(small)).convert("RGB")
    colour = shown.getpixel((shown.width // 2, shown.height // 2))
    assert isinstance(colour, tuple)
    return colour


def similar(colour: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, expected, strict=True)) <= 6


@pytest.mark.parametrize("kind", ["I;16", "I;16B"])
@pytest.mark.parametrize("size", [40, 2000])
def test_16_bit_grey_is_shown_as_bright_as_it_is(kind: str, size: int) -> None:
    data = (120 * 257).to_bytes(2) * size * size  # The same in either byte order.
    assert similar(
        middle_of(preview(saved(Image.frombytes(kind, (size, size), data), "PNG"))), (120, 120, 120)
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB", "ProPhoto"])
def test_preview_has_the_colours_of_the_photo(kind: str, space: str) -> None:
    image = Image.new("RGB", (40, 40), in_space((200, 60, 50), SPACES[space]))
    photo = saved(image, kind, icc_profile=rgb_profile(SPACES[space]), quality=95)
    assert similar(middle_of(preview(photo)), (200, 60, 50))


def test_preview_of_inks_and_of_linear_grey() -> None:
    inks = Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    assert preview(saved(inks, "JPEG")) is not None
    red = middle_of(preview(saved(inks, "JPEG", icc_profile=cmyk_profile())))
    assert red[0] < 240 < red[0] + 20
    grey = saved(Image.new("L", (40, 40), 128), "PNG", icc_profile=grey_profile(1.0))
    assert similar(middle_of(preview(grey)), (188, 188, 188))


@pytest.mark.parametrize("profile", [b"none", cmyk_profile(), rgb_profile(SPACES["ProPhoto"])[:99]])
def test_unusable_profile_is_ignored(profile: bytes) -> None:
    photo = saved(Image.new("RGB", (40, 40), (200, 60, 50)), "JPEG", icc_profile=profile)
    assert similar(middle_of(preview(photo)), (200, 60, 50))


def test_edit_history_does_not_hide_the_picture() -> None:
    history = PngImagePlugin.PngInfo()
    history.add_text("history", "cropped " * 200_000, zip=True)
    photo = saved(Image.new("RGB", (40, 40), (200, 60, 50)), "PNG", pnginfo=history)
    assert similar(middle_of(preview(photo)), (200, 60, 50))


def test_unreadable_or_unsupported_file_has_no_preview(photo: bytes) -> None:
    assert preview(b"") is None
    assert preview(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00") is None
    assert preview(photo[: len(photo) // 2]) is None
    assert preview(saved(Image.new("P", (8, 8)), "GIF")) is None


def test_huge_image_is_not_decoded() -> None:
    assert preview(saved(Image.new("1", (8001, 8000)), "PNG")) is None


def test_crops_are_square_upright_and_within_the_photo() -> None:
    image = Image.new("RGB", (400, 200), "white")
    image.paste("red", (300, 100, 400, 200))
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees: red is then top left
    file = BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95)

    red, whole = crops(file.getvalue(), [(0, 0, 0.25, 0.5), (0, 0, 1, 1)])

    with Image.open(BytesIO(red)) as crop:
        assert crop.width == crop.height
        pixel = crop.getpixel((crop.width // 3, crop.height // 3))
        assert isinstance(pixel, tuple)
        assert (pixel[0] > 200, pixel[1] < 60) == (True, True)
    with Image.open(BytesIO(whole)) as crop:
        assert crop.size == (200, 200)
    assert crops(b"no photo", [(0, 0, 1, 1)]) == []


def test_all_zero_fourth_bytes_of_a_bmp_are_not_transparency() -> None:
    clear = Image.new("RGBA", (900, 900), (200, 60, 50, 0))
    assert similar(middle_of(preview(windows_bmp(clear))), (200, 60, 50))


def test_boxes_are_drawn_where_they_are() -> None:
    file = BytesIO()
    Image.new("RGB", (400, 200), "white").save(file, "JPEG")
    boxes = [DrawnBox((0.25, 0.25, 0.75, 0.75), "#ff0000", "1"), DrawnBox((1, 1, 1, 1), "red", "")]
    drawn = Image.open(BytesIO(with_boxes(file.getvalue(), boxes)))
    assert drawn.size == (400, 200)
    edge, inside, outside = (drawn.getpixel(at) for at in ((298, 100), (250, 100), (50, 100)))
    assert isinstance(edge, tuple)
    assert edge[0] > 200
    assert edge[1] < 120
    assert inside == outside == (255, 255, 255)
