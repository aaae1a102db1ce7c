"""The files page: list, upload, download, delete."""

import errno
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.people import person
from common.exceptions import Refused
from storage import services
from storage.bucket import DiskFull, Readable
from storage.downloads import serve_file
from storage.models import StoredFile
from storage.selectors import file_for, file_page
from storage.uploads import allow_uploads

PAGE = 100


# The token is checked in `_take_upload`: Django's own check reads the whole body first, and would let
# anyone who is not signed in fill the disk.
@csrf_exempt
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def file_list(request: HttpRequest) -> HttpResponse:
    """The person's files by name; a POST with files in the field `file` stores them."""
    if request.method != "POST":
        return _list_page(request)
    try:
        _receive(request)
        response: HttpResponse = _take_upload(request)
    except Refused as refusal:
        return _list_page(request, problem=refusal.message, status=refusal.status)
    return response


def _list_page(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    page = file_page(person(request), after=request.GET.get("after", "").replace("\0", ""), limit=PAGE)
    context = {"files": page.files, "next_after": page.next_after, "problem": problem}
    return render(request, "files/list.html", context, status=status)


def _receive(request: HttpRequest) -> None:
    """Read the body of the form; big files go to a temporary place on disk."""
    allow_uploads(request)
    try:
        _ = request.FILES
    except UnreadablePostError:
        raise Refused("cut_off", "The upload ended early. Nothing was changed; send it again.") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull from error
        raise


@csrf_protect
def _take_upload(request: HttpRequest) -> HttpResponse:
    files = request.FILES.getlist("file")
    if not files:
        raise Refused("no_file", "Choose a file to upload first.")
    for file in files:
        _save_uploaded(request, file)
        messages.success(request, f"{file.name} is uploaded.")
    return redirect("files:list")


def _save_uploaded(request: HttpRequest, file: "UploadedFile[bytes]") -> StoredFile:
    return services.save_file(
        account=person(request),
        name=file.name or "",
        stream=cast(Readable, file),
        size=file.size or 0,
        content_type=file.content_type or "",
    )


@require_http_methods(["GET", "HEAD", "PUT"])
def file_download(request: HttpRequest, name: str) -> HttpResponseBase:
    """The bytes of a file. A PUT stores its body as the file: scripts of the page use it to show progress."""
    if request.method == "PUT":
        return _put(request, name)
    return _download(request, name)


@login_required
def _download(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        return serve_file(request, user=person(request), name=name)
    except Refused as refusal:
        raise Http404(refusal.message) from None


def _put(request: HttpRequest, name: str) -> JsonResponse:
    # A script cannot follow a redirect to the sign-in page.
    if not request.user.is_authenticated:
        return _problem("signed_out", "You are signed out. Sign in again, then upload.", status=401)
    size = request.META.get("CONTENT_LENGTH") or ""
    if not (size.isascii() and size.isdigit()):
        return _problem("length_required", "The upload does not say how long it is. Nothing was changed.", status=411)
    try:
        file = services.save_file(
            account=person(request),
            name=name,
            stream=cast(Readable, request),
            size=int(size),
            content_type=request.content_type or "",
        )
    except UnreadablePostError:
        return _problem("cut_off", "The upload ended early. Nothing was changed; send it again.", status=400)
    except Refused as refusal:
        return _problem(refusal.code, refusal.message, status=refusal.status)
    return JsonResponse({"name": file.name, "size": file.size})


def _problem(code: str, message: str, *, status: int) -> JsonResponse:
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    return JsonResponse(body, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def file_delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask whether the file is to be deleted; a POST deletes it."""
    try:
        file = file_for(person(request), name)
        if request.method != "POST":
            return render(request, "files/delete.html", {"file": file})
        services.delete_file(account=person(request), name=file.name)
    except Refused as refusal:
        raise Http404(refusal.message) from None
    messages.success(request, f"{file.name} is deleted.")
    return redirect("files:list")
