// @nestjs/throttler is CommonJS and requires Nest, which is ESM: Jest allows that only when Nest is already loaded.
import '@nestjs/common';
import '@nestjs/core';
import 'reflect-metadata';
