module @adamw_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x18xf32>, %arg1: tensor<3x18xf32>, %arg2: tensor<3x18xf32>, %arg3: tensor<3x18xf32>, %arg4: tensor<8xf32>, %arg5: tensor<i32>) -> (tensor<3x72xbf16>) {
    %0 = stablehlo.slice %arg4 [0:1] : (tensor<8xf32>) -> tensor<1xf32>
    %1 = stablehlo.reshape %0 : (tensor<1xf32>) -> tensor<f32>
    %2 = stablehlo.slice %arg4 [1:2] : (tensor<8xf32>) -> tensor<1xf32>
    %3 = stablehlo.reshape %2 : (tensor<1xf32>) -> tensor<f32>
    %4 = stablehlo.slice %arg4 [2:3] : (tensor<8xf32>) -> tensor<1xf32>
    %5 = stablehlo.reshape %4 : (tensor<1xf32>) -> tensor<f32>
    %6 = stablehlo.slice %arg4 [3:4] : (tensor<8xf32>) -> tensor<1xf32>
    %7 = stablehlo.reshape %6 : (tensor<1xf32>) -> tensor<f32>
    %8 = stablehlo.slice %arg4 [4:5] : (tensor<8xf32>) -> tensor<1xf32>
    %9 = stablehlo.reshape %8 : (tensor<1xf32>) -> tensor<f32>
    %10 = stablehlo.slice %arg4 [5:6] : (tensor<8xf32>) -> tensor<1xf32>
    %11 = stablehlo.reshape %10 : (tensor<1xf32>) -> tensor<f32>
    %12 = stablehlo.slice %arg4 [6:7] : (tensor<8xf32>) -> tensor<1xf32>
    %13 = stablehlo.reshape %12 : (tensor<1xf32>) -> tensor<f32>
    %14 = stablehlo.slice %arg4 [7:8] : (tensor<8xf32>) -> tensor<1xf32>
    %15 = stablehlo.reshape %14 : (tensor<1xf32>) -> tensor<f32>
    %16 = stablehlo.iota dim = 1 : tensor<3x18xi32>
    %17 = stablehlo.broadcast_in_dim %arg5, dims = [] : (tensor<i32>) -> tensor<3x18xi32>
    %18 = stablehlo.compare LT, %16, %17, SIGNED : (tensor<3x18xi32>, tensor<3x18xi32>) -> tensor<3x18xi1>
    %19 = stablehlo.convert %18 : (tensor<3x18xi1>) -> tensor<3x18xf32>
    %20 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %21 = stablehlo.multiply %arg3, %20 : tensor<3x18xf32>
    %22 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %23 = stablehlo.multiply %arg1, %22 : tensor<3x18xf32>
    %24 = stablehlo.negate %5 : tensor<f32>
    %25 = stablehlo.constant dense<1.0> : tensor<f32>
    %26 = stablehlo.add %24, %25 : tensor<f32>
    %27 = stablehlo.broadcast_in_dim %26, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %28 = stablehlo.multiply %21, %27 : tensor<3x18xf32>
    %29 = stablehlo.add %23, %28 : tensor<3x18xf32>
    %30 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %31 = stablehlo.multiply %arg2, %30 : tensor<3x18xf32>
    %32 = stablehlo.multiply %21, %21 : tensor<3x18xf32>
    %33 = stablehlo.negate %7 : tensor<f32>
    %34 = stablehlo.add %33, %25 : tensor<f32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %36 = stablehlo.multiply %32, %35 : tensor<3x18xf32>
    %37 = stablehlo.add %31, %36 : tensor<3x18xf32>
    %38 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %39 = stablehlo.multiply %29, %38 : tensor<3x18xf32>
    %40 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %41 = stablehlo.multiply %37, %40 : tensor<3x18xf32>
    %42 = stablehlo.sqrt %41 : tensor<3x18xf32>
    %43 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %44 = stablehlo.add %42, %43 : tensor<3x18xf32>
    %45 = stablehlo.divide %39, %44 : tensor<3x18xf32>
    %46 = stablehlo.multiply %arg0, %19 : tensor<3x18xf32>
    %47 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %48 = stablehlo.multiply %46, %47 : tensor<3x18xf32>
    %49 = stablehlo.add %45, %48 : tensor<3x18xf32>
    %50 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<3x18xf32>
    %51 = stablehlo.multiply %49, %50 : tensor<3x18xf32>
    %52 = stablehlo.subtract %arg0, %51 : tensor<3x18xf32>
    %53 = stablehlo.convert %52 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %54 = stablehlo.convert %29 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %55 = stablehlo.convert %37 : (tensor<3x18xf32>) -> tensor<3x18xbf16>
    %56 = stablehlo.concatenate %53, %54, %55, %53, dim = 1 : (tensor<3x18xbf16>, tensor<3x18xbf16>, tensor<3x18xbf16>, tensor<3x18xbf16>) -> tensor<3x72xbf16>
    return %56 : tensor<3x72xbf16>
  }
}
