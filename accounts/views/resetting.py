"""Resetting a forgotten password by mail. The pages never tell whether an address has an account."""

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import PasswordResetForm
from django.http import HttpResponse
from django.urls import reverse_lazy

from accounts.forms import ResetForm
from accounts.throttle import TooManyTries, check_tries, count_try


class Ask(auth_views.PasswordResetView):
    form_class = ResetForm
    template_name = "accounts/password_reset.html"
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_sent")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        # The link is made from our own address, never from what the request says it is.
        self.extra_email_context = {"public_url": settings.PUBLIC_URL}
        email = form.cleaned_data["email"]
        try:
            check_tries(self.request, action="reset", name=email)
        except TooManyTries as refusal:
            form.add_error(None, refusal.message)
            return self.render_to_response(self.get_context_data(form=form), status=refusal.status)
        count_try(self.request, action="reset", name=email)
        return super().form_valid(form)


class Sent(auth_views.PasswordResetDoneView):
    template_name = "accounts/password_reset_sent.html"


class Choose(auth_views.PasswordResetConfirmView):
    template_name = "accounts/password_reset_choose.html"
    success_url = reverse_lazy("accounts:password_reset_done")


class Done(auth_views.PasswordResetCompleteView):
    template_name = "accounts/password_reset_done.html"
