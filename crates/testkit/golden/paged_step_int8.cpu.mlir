module @paged_step_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x320xbf16>, %arg1: tensor<5x16xf32>, %arg2: tensor<5x16xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<32xbf16>, %arg8: tensor<32xbf16>, %arg9: tensor<6x2x32x16xbf16>, %arg10: tensor<6x2x16x32xbf16>) -> (tensor<5x192xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x32x16xbf16>) -> tensor<6x2x16x32xbf16>
    %1 = stablehlo.convert %0 : (tensor<6x2x16x32xbf16>) -> tensor<6x2x16x32xf32>
    %2 = stablehlo.abs %1 : tensor<6x2x16x32xf32>
    %3 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x32xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %5 = stablehlo.constant dense<127.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %7 = stablehlo.divide %4, %6 : tensor<6x2x16xf32>
    %8 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %10 = stablehlo.maximum %7, %9 : tensor<6x2x16xf32>
    %11 = stablehlo.constant dense<1.0> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %13 = stablehlo.divide %12, %10 : tensor<6x2x16xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x32xf32>
    %15 = stablehlo.multiply %1, %14 : tensor<6x2x16x32xf32>
    %16 = stablehlo.constant dense<0.5> : tensor<f32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f32>) -> tensor<6x2x16x32xf32>
    %18 = stablehlo.add %15, %17 : tensor<6x2x16x32xf32>
    %19 = stablehlo.floor %18 : tensor<6x2x16x32xf32>
    %20 = stablehlo.convert %19 : (tensor<6x2x16x32xf32>) -> tensor<6x2x16x32xi8>
    %21 = stablehlo.convert %arg10 : (tensor<6x2x16x32xbf16>) -> tensor<6x2x16x32xf32>
    %22 = stablehlo.abs %21 : tensor<6x2x16x32xf32>
    %23 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %24 = stablehlo.reduce(%22 init: %23) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x32xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %25 = stablehlo.divide %24, %6 : tensor<6x2x16xf32>
    %26 = stablehlo.maximum %25, %9 : tensor<6x2x16xf32>
    %27 = stablehlo.divide %12, %26 : tensor<6x2x16xf32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x32xf32>
    %29 = stablehlo.multiply %21, %28 : tensor<6x2x16x32xf32>
    %30 = stablehlo.add %29, %17 : tensor<6x2x16x32xf32>
    %31 = stablehlo.floor %30 : tensor<6x2x16x32xf32>
    %32 = stablehlo.convert %31 : (tensor<6x2x16x32xf32>) -> tensor<6x2x16x32xi8>
    %33 = stablehlo.transpose %20, dims = [0, 1, 3, 2] : (tensor<6x2x16x32xi8>) -> tensor<6x2x32x16xi8>
    %34:5 = stablehlo.custom_call @collegium.chain(%33, %32, %10, %26, %arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7, %arg8) {api_version = 4 : i32, backend_config = {kernels = "paged_step_int8", names = "eps_bits window", steps = array<i64: 0, 2, 0, 925353388, 1, 0, 13, 0, 0, 4, 6, 2, 32, 16, 1, 0, 4, 6, 2, 16, 32, 2, 0, 3, 6, 2, 16, 3, 0, 3, 6, 2, 16, 4, 0, 2, 5, 320, 5, 0, 2, 5, 16, 6, 0, 2, 5, 16, 7, 0, 2, 2, 3, 8, 0, 1, 5, 9, 0, 1, 5, 10, 0, 1, 5, 11, 0, 1, 32, 12, 0, 1, 32, 5>}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [2], operand_index = 2, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [3], operand_index = 3, operand_tuple_indices = []>]} : (tensor<6x2x32x16xi8>, tensor<6x2x16x32xi8>, tensor<6x2x16xf32>, tensor<6x2x16xf32>, tensor<5x320xbf16>, tensor<5x16xf32>, tensor<5x16xf32>, tensor<2x3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<5xi32>, tensor<32xbf16>, tensor<32xbf16>) -> (tensor<6x2x32x16xi8>, tensor<6x2x16x32xi8>, tensor<6x2x16xf32>, tensor<6x2x16xf32>, tensor<5x192xbf16>)
    %35 = stablehlo.convert %34#4 : (tensor<5x192xbf16>) -> tensor<5x192xf32>
    return %35 : tensor<5x192xf32>
  }
}
