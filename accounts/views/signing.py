"""Signing up, in and out, and the page that greets a new person."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms import SignInForm, SignUpForm
from accounts.people import person
from accounts.throttle import TooManyTries, check_tries, count_try
from common.exceptions import Refused

# Where the session keeps the first key and its secret until the first job has run.
FIRST_KEY = "first_key"
BACKEND = "django.contrib.auth.backends.ModelBackend"
FIELD_OF = {"bad_username": "username", "username_taken": "username", "bad_email": "email", "email_taken": "email"}


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and its first key, and go on to the page that shows how to use it."""
    if not settings.SIGN_UP_OPEN:
        return render(request, "accounts/sign_up_closed.html", status=403)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, key, secret = services.sign_up(**form.cleaned_data)
        except Refused as refusal:
            form.add_error(FIELD_OF.get(refusal.code), refusal.message)
        else:
            login(request, user, backend=BACKEND)
            request.session[FIRST_KEY] = {"api_key": key.pk, "api_secretkey": secret}
            return redirect("accounts:welcome")
    return render(request, "accounts/sign_up.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    next_url = _safe_next(request)
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(next_url)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST":
        try:
            if _signs_in(request, form):
                return redirect(next_url)
        except TooManyTries as refusal:
            return _sign_in_page(request, SignInForm(request), problem=refusal.message, status=refusal.status)
    return _sign_in_page(request, form, status=400 if form.errors else 200)


def _signs_in(request: HttpRequest, form: SignInForm) -> bool:
    """Sign the person in if the form has their password. Raises TooManyTries before it looks."""
    name = request.POST.get("username", "")
    check_tries(request, action="sign-in", name=name)
    if form.is_valid():
        login(request, form.get_user())
        return True
    count_try(request, action="sign-in", name=name)
    return False


def _sign_in_page(request: HttpRequest, form: SignInForm, *, status: int, problem: str = "") -> HttpResponse:
    context = {"form": form, "problem": problem, "next": request.POST.get("next", request.GET.get("next", ""))}
    return render(request, "accounts/sign_in.html", context, status=status)


def _safe_next(request: HttpRequest) -> str:
    """Where to go after signing in: an address of this site, whatever the link said."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if ours and wanted.startswith("/"):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(request, "You are signed out.")
    return redirect("accounts:sign_in")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """The first page of a new person: their key in lines to copy. A POST says that they have copied them."""
    if request.method == "POST":
        request.session.pop(FIRST_KEY, None)
        return redirect(settings.LOGIN_REDIRECT_URL)
    has_jobs = person(request).jobs.exists()
    if has_jobs:
        request.session.pop(FIRST_KEY, None)
    context = {
        "first_key": request.session.get(FIRST_KEY),
        "has_jobs": has_jobs,
        "server_url": settings.PUBLIC_URL,
        "jobs_url": resolve_url(settings.LOGIN_REDIRECT_URL),
    }
    return render(request, "accounts/welcome.html", context)
