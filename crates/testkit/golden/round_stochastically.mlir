module @round_stochastically attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>) -> (tensor<2x3x4xbf16>) {
    %0 = stablehlo.bitcast_convert %arg0 : (tensor<2x3x4xf32>) -> tensor<2x3x4xui32>
    %1 = stablehlo.constant dense<2654435769> : tensor<ui32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %3 = stablehlo.multiply %0, %2 : tensor<2x3x4xui32>
    %4 = stablehlo.constant dense<15> : tensor<ui32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %6 = stablehlo.shift_right_logical %3, %5 : tensor<2x3x4xui32>
    %7 = stablehlo.add %3, %6 : tensor<2x3x4xui32>
    %8 = stablehlo.constant dense<2246822519> : tensor<ui32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %10 = stablehlo.multiply %7, %9 : tensor<2x3x4xui32>
    %11 = stablehlo.constant dense<13> : tensor<ui32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %13 = stablehlo.shift_right_logical %10, %12 : tensor<2x3x4xui32>
    %14 = stablehlo.add %10, %13 : tensor<2x3x4xui32>
    %15 = stablehlo.constant dense<3266489917> : tensor<ui32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %17 = stablehlo.multiply %14, %16 : tensor<2x3x4xui32>
    %18 = stablehlo.constant dense<16> : tensor<ui32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %20 = stablehlo.shift_right_logical %17, %19 : tensor<2x3x4xui32>
    %21 = stablehlo.add %0, %20 : tensor<2x3x4xui32>
    %22 = stablehlo.shift_right_logical %21, %19 : tensor<2x3x4xui32>
    %23 = stablehlo.constant dense<65536> : tensor<ui32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<ui32>) -> tensor<2x3x4xui32>
    %25 = stablehlo.multiply %22, %24 : tensor<2x3x4xui32>
    %26 = stablehlo.bitcast_convert %25 : (tensor<2x3x4xui32>) -> tensor<2x3x4xf32>
    %27 = stablehlo.is_finite %arg0 : (tensor<2x3x4xf32>) -> tensor<2x3x4xi1>
    %28 = stablehlo.select %27, %26, %arg0 : tensor<2x3x4xi1>, tensor<2x3x4xf32>
    %29 = stablehlo.convert %28 : (tensor<2x3x4xf32>) -> tensor<2x3x4xbf16>
    return %29 : tensor<2x3x4xbf16>
  }
}
