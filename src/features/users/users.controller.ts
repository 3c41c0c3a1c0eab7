import { Controller, Get } from '@nestjs/common';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { toUserDto, UserDto } from './users.dto.js';
import { UsersService } from './users.service.js';

@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** My own account. */
  @Get('me')
  @Authorize()
  async me(@CurrentUser() user: Principal): Promise<UserDto> {
    return toUserDto(await this.users.get(user.userId));
  }
}
