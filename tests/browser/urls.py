"""The site with its style page, which is there only with DEBUG."""

from django.urls import path

from picloud_site.style import style
from picloud_site.urls import urlpatterns as of_the_site

urlpatterns = [*of_the_site, path("style/", style, name="style")]
